// The payload of a slot as a stream of bytes, a page in memory at a time.
#pragma once

#include <popsgd/store.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::checkpoint {

inline constexpr std::size_t kPayloadOffset = Store::kPage;

class PayloadWriter {
 public:
  PayloadWriter(Store& store, unsigned slot) noexcept : store_(store), slot_(slot) {}

  /// Appends; what is not ok is the store's answer.
  [[nodiscard]] Status put(std::span<const std::byte> bytes) noexcept;

  /// Writes the last page, filled up with zeros.
  [[nodiscard]] Status finish() noexcept;

  /// CRC-32C of all that was put and whose page is written.
  [[nodiscard]] std::uint32_t crc() const noexcept { return crc_; }

 private:
  Status write_page() noexcept;

  Store& store_;
  unsigned slot_;
  std::uint32_t crc_ = 0;
  std::size_t offset_ = kPayloadOffset;
  std::size_t filled_ = 0;
  std::array<std::byte, Store::kPage> page_{};
};

class PayloadReader {
 public:
  /// `length` bytes of payload, which must lie within the slot.
  PayloadReader(Store& store, unsigned slot, std::size_t length) noexcept
      : store_(store), slot_(slot), left_(length) {}

  /// Takes the next bytes, of which there must be as many; what is not ok is the store's answer.
  [[nodiscard]] Status get(std::span<std::byte> into) noexcept;

  /// Reads on to the end.
  [[nodiscard]] Status skip_rest() noexcept;

  /// CRC-32C of the pages read; of the whole payload when its last byte was taken.
  [[nodiscard]] std::uint32_t crc() const noexcept { return crc_; }

 private:
  Status read_page() noexcept;

  Store& store_;
  unsigned slot_;
  std::uint32_t crc_ = 0;
  std::size_t offset_ = kPayloadOffset;
  std::size_t left_;  // bytes not yet read from the store
  std::span<const std::byte> ready_{};
  std::array<std::byte, Store::kPage> page_{};
};

}  // namespace popsgd::checkpoint
