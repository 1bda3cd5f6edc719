// A serial link with what its port has taken, in memory.
#pragma once

#include <popsgd/serial/serial_link.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace popsgd::test {

/// Its port takes `room` bytes more.
class SerialWire {
 public:
  explicit SerialWire(std::uint16_t mtu, std::size_t frames = 4)
      : memory_(serial::SerialLink::memory_size(mtu, frames) / 8 + 1),
        link(mtu, {&take, this}, std::as_writable_bytes(std::span(memory_))) {}
  SerialWire(const SerialWire&) = delete;
  SerialWire& operator=(const SerialWire&) = delete;
  SerialWire(SerialWire&&) = delete;
  SerialWire& operator=(SerialWire&&) = delete;
  ~SerialWire() = default;

  std::vector<std::byte> written{};
  std::size_t room = std::numeric_limits<std::size_t>::max();

 private:
  static std::size_t take(void* context, std::span<const std::byte> bytes) noexcept {
    auto& self = *static_cast<SerialWire*>(context);
    const std::size_t count = std::min(self.room, bytes.size());
    self.room -= count;
    self.written.insert(self.written.end(), bytes.begin(),
                        bytes.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  std::vector<std::uint64_t> memory_;

 public:
  serial::SerialLink link;
};

}  // namespace popsgd::test
