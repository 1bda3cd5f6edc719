// A FlatBuffers buffer of one flat table, read field by field: what TableWriter writes, and whatever else anybody sends.
#pragma once

#include "codec/schema.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>

namespace popsgd::codec {

/// Looks at no byte outside of the buffer, whatever the bytes are. FlatBuffers' own verifier, made for trees of tables of any
/// shape, accepts and refuses the same, and takes four times the code (unit.codec compares both). Layout: FlatBuffers,
/// "Internals".
class TableReader {
  using Offset = popsgd_flatbuffers::uoffset_t;
  using SignedOffset = popsgd_flatbuffers::soffset_t;
  using VtableEntry = popsgd_flatbuffers::voffset_t;

 public:
  /// @param bytes  the whole buffer, whose first byte is aligned for any field
  /// @param identifier  four characters
  TableReader(std::span<const std::byte> bytes, const char* identifier) noexcept : bytes_(bytes) {
    constexpr std::size_t kIdentifier = sizeof(Offset);
    if (!holds(0, kIdentifier + 4, 1)) return;
    table_ = load<Offset>(0);
    std::uint32_t named = 0;
    std::memcpy(&named, identifier, sizeof named);
    if (load<std::uint32_t>(kIdentifier) != named) return;
    if (table_ == 0 || !holds(table_, sizeof(SignedOffset), sizeof(SignedOffset))) return;
    vtable_ = table_ - static_cast<std::size_t>(load<SignedOffset>(table_));
    if (!holds(vtable_, sizeof(VtableEntry), sizeof(VtableEntry))) return;
    const auto size = load<VtableEntry>(vtable_);
    if (size % sizeof(VtableEntry) != 0 || !holds(vtable_, size, 1)) return;
    vtable_size_ = size;
    sound_ = true;
  }

  /// Whether it is such a table, and none of the fields that were asked for lies outside of the buffer.
  [[nodiscard]] bool sound() const noexcept { return sound_; }

  /// Copies a scalar or struct of the schema, if it is there.
  template <typename T>
  bool get(VtableEntry field, T& value) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    return get(field, &value, sizeof(T), alignof(T));
  }
  bool get(VtableEntry field, void* value, std::size_t length, std::size_t alignment) noexcept {
    const std::size_t position = place_of(field);
    if (position == 0) return false;
    sound_ = sound_ && holds(position, length, alignment);
    if (sound_) std::memcpy(value, bytes_.data() + position, length);
    return sound_;
  }

  /// A vector of bytes, if it is there.
  bool get_vector(VtableEntry field, std::span<const std::byte>& value) noexcept {
    constexpr Offset kMost = std::numeric_limits<SignedOffset>::max();
    Offset offset = 0;
    if (!get(field, offset)) return false;
    const std::size_t begin = place_of(field) + offset;
    sound_ = offset != 0 && offset <= kMost && holds(begin, sizeof(Offset), sizeof(Offset));
    if (!sound_) return false;
    const auto size = load<Offset>(begin);
    sound_ = size < kMost && holds(begin, sizeof(Offset) + size, 1);
    if (sound_) value = bytes_.subspan(begin + sizeof(Offset), size);
    return sound_;
  }

 private:
  /// Whether so many bytes from there on, aligned, lie in the buffer, and are not all of it.
  [[nodiscard]] bool holds(std::size_t position, std::size_t length, std::size_t alignment) const noexcept {
    return (position & (alignment - 1)) == 0 && length < bytes_.size() && position <= bytes_.size() - length;
  }

  /// From where it lies aligned in the buffer, and so in memory.
  template <typename T>
  [[nodiscard]] T load(std::size_t position) const noexcept {
    T value;
    std::memcpy(&value, std::assume_aligned<alignof(T)>(bytes_.data() + position), sizeof value);
    return value;
  }

  /// 0: it is not there.
  [[nodiscard]] std::size_t place_of(VtableEntry field) const noexcept {
    const std::size_t offset = field < vtable_size_ ? load<VtableEntry>(vtable_ + field) : 0;
    return offset == 0 ? 0 : table_ + offset;
  }

  std::span<const std::byte> bytes_;
  std::size_t table_ = 0;
  std::size_t vtable_ = 0;
  VtableEntry vtable_size_ = 0;
  bool sound_ = false;
};

}  // namespace popsgd::codec
