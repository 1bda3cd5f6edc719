// Where a device keeps what must outlive a loss of power: implemented by the platform.
#pragma once

#include <popsgd/status.h>

#include <cstddef>
#include <span>

namespace popsgd {

/// Two slots of equal size in memory that outlives a loss of power: two files, two regions of flash, an FRAM.
///
/// A platform derives from this class and gives it to checkpoint::save and checkpoint::load, which are the only callers.
/// They call on the thread that called them, one call at a time, and hold nothing when they return. Every function may
/// block for as long as the medium takes, and calls back nobody. A status that is not ok ends the save or load
/// and is handed to its caller unchanged; Status::store_failed is the one for a medium that does not answer.
///
/// The callers keep to this: `slot` is 0 or 1; every range lies within slot_size(); a write is one whole page
/// of kPage bytes at a multiple of kPage; each page is written at most once after an erase, in no particular
/// order. So a store over NOR flash passes pages on as they are, and one over files needs nothing but positions.
class Store {
 public:
  /// Length of a write, bytes: a multiple of what common flash programs at once.
  static constexpr std::size_t kPage = 256;
  static constexpr unsigned kSlots = 2;

  /// Bytes in each slot; constant for the life of the store. A remainder after the last whole page is not used.
  [[nodiscard]] virtual std::size_t slot_size() const noexcept = 0;

  /// Fills `into` from byte `offset` of the slot on; any offset and any length. Shows all earlier writes, synced or
  /// not. Bytes that were cut while being written, or that error correction has given up, are to be given
  /// as any bytes at all, with ok: the reader's checksums find them. store_failed: the medium could not be asked;
  /// `into` means nothing.
  [[nodiscard]] virtual Status read(unsigned slot, std::size_t offset,
                                    std::span<std::byte> into) noexcept = 0;

  /// Puts one page there. A cut of power may leave any part of it done.
  [[nodiscard]] virtual Status write(unsigned slot, std::size_t offset,
                                     std::span<const std::byte> page) noexcept = 0;

  /// Makes the whole slot fit to be written. Until a byte is written it then reads 0xFF, or, if the store
  /// prefers, 0x00; so do the slots of a store that is new. A cut of power may leave any part of it done.
  [[nodiscard]] virtual Status erase(unsigned slot) noexcept = 0;

  /// A barrier: all that was written or erased before is durable before anything that follows. On ok, it is
  /// durable. Not ok: it may be or not, and no later sync() returns ok until all that read() shows is durable.
  [[nodiscard]] virtual Status sync() noexcept = 0;

 protected:
  // Nobody owns a store through this class: a public destructor would drag in an allocator.
  Store() = default;
  Store(const Store&) = default;
  Store(Store&&) = default;
  Store& operator=(const Store&) = default;
  Store& operator=(Store&&) = default;
  ~Store() = default;
};

}  // namespace popsgd
