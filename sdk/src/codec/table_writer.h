// A FlatBuffers buffer of one flat table, written front to back.
#pragma once

#include "codec/schema.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

namespace popsgd::codec {

/// Writes what comes before a table's one vector: root offset, file identifier, vtable, table, the vector's
/// length. FlatBufferBuilder would do too, but it builds from the back, so that bytes end where memory ends,
/// and it refers to an allocator. Layout: FlatBuffers, "Internals".
/// Fields must be put in order of descending alignment and fit Capacity bytes: that is the caller's proof.
template <std::size_t Capacity>
class TableWriter {
  using Offset = popsgd_flatbuffers::uoffset_t;
  using VtableEntry = popsgd_flatbuffers::voffset_t;

 public:
  /// @param identifier  four characters
  /// @param last  the largest VT_ constant that will be put
  TableWriter(const char* identifier, VtableEntry last) noexcept
      : table_(table_after(vtable_size(last))), size_(table_ + sizeof(Offset)) {
    store(0, static_cast<Offset>(table_));
    std::memcpy(bytes_.data() + sizeof(Offset), identifier, 4);
    store(kVtable, vtable_size(last));
    store(table_, static_cast<Offset>(table_ - kVtable));
    close_table();
  }

  /// A scalar or struct of the schema; scalars as numbers, structs as generated.
  template <typename T>
  void put(VtableEntry field, const T& value) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && std::endian::native == std::endian::little);
    put(field, &value, sizeof(T), alignof(T));
  }

  /// The same by its bytes: one function for all.
  void put(VtableEntry field, const void* value, std::size_t length, std::size_t alignment) noexcept {
    size_ = aligned(size_, alignment);
    store(kVtable + field, static_cast<VtableEntry>(size_ - table_));
    std::memcpy(bytes_.data() + size_, value, length);
    size_ += length;
    close_table();
  }

  /// Makes room for the offset of the vector; begin_vector() fills it in.
  void put_offset(VtableEntry field) noexcept {
    put(field, Offset{0});
    offset_ = size_ - sizeof(Offset);
  }

  /// The table ends; the caller appends the `length` bytes of the vector.
  void begin_vector(std::size_t length) noexcept {
    size_ = aligned(size_, sizeof(Offset));
    store(offset_, static_cast<Offset>(size_ - offset_));
    store(size_, static_cast<Offset>(length));
    size_ += sizeof(Offset);
  }

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return std::span(bytes_).first(size_); }

 private:
  static constexpr std::size_t kVtable = sizeof(Offset) + 4;  ///< after the root offset and the identifier

  static constexpr std::size_t aligned(std::size_t position, std::size_t alignment) noexcept {
    return (position + alignment - 1) & ~(alignment - 1);
  }

  static constexpr VtableEntry vtable_size(VtableEntry last) noexcept {
    return static_cast<VtableEntry>(last + sizeof(VtableEntry));
  }

  /// Where the table begins, so that its first field lies on 8 bytes.
  static constexpr std::size_t table_after(std::size_t vtable_bytes) noexcept {
    return aligned(kVtable + vtable_bytes + sizeof(Offset), 8) - sizeof(Offset);
  }

  template <typename T>
  void store(std::size_t position, const T& value) noexcept {
    popsgd_flatbuffers::WriteScalar(bytes_.data() + position, value);
  }

  void close_table() noexcept {
    store(kVtable + sizeof(VtableEntry), static_cast<VtableEntry>(size_ - table_));
  }

  alignas(8) std::array<std::byte, Capacity> bytes_{};
  std::size_t table_;       ///< where the table begins
  std::size_t size_;        ///< bytes written
  std::size_t offset_ = 0;  ///< where the vector's offset is
};

}  // namespace popsgd::codec
