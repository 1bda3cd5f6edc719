// The link along the board's UART where a member of the swarm alone is met at its other end, by DTLS.
#pragma once

#include "node.h"
#include "swarm_key.h"

#include <popsgd/clock.h>
#include <popsgd/link.h>
#include <popsgd/secure/gate.h>
#include <popsgd/serial/serial_link.h>
#include <popsgd/status.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace firmware {

/// What a SecureWire needs for as long as it lives.
struct SecureWireMemory {
  static constexpr std::uint16_t kMtu =
      600;  ///< bytes of the longest datagram; all of a handshake's are shorter
  alignas(8) std::array<std::byte, popsgd::serial::SerialLink::memory_size(kMtu, 1)> line;
  alignas(8) std::array<std::byte, 16 * 1024> tls;  ///< all that mbedTLS has
};

/// Calls the other end, again and again until it answers, as that does, too: it does not matter who is switched on first, and who
/// after a loss of power again.
class SecureWire final : popsgd::LinkUser, popsgd::secure::Listener {
 public:
  SecureWire(popsgd::serial::Port port, const Services& services, Node& node,
             SecureWireMemory& memory) noexcept;

  /// Begins to call; once, after the node's start. no_room: mbedTLS has not memory enough; no_entropy: the board has none.
  [[nodiscard]] popsgd::Status open(const SwarmKey& key) noexcept;
  /// Bytes have come.
  void feed(std::span<const std::byte> bytes) noexcept;
  /// Does what is due; when it is due again if nothing comes.
  popsgd::Time turn() noexcept;

 private:
  // of the link along the UART
  void received(popsgd::Link& link, std::span<const std::byte> datagram) noexcept override;
  void writable(popsgd::Link& link) noexcept override;
  void closed(popsgd::Link& link) noexcept override;
  // of the gate
  popsgd::LinkUser& opened(popsgd::Link& link, const popsgd::Address& remote, bool dialled) noexcept override;
  void refused(const popsgd::Address&, bool, popsgd::secure::Refusal) noexcept override {}

  void call() noexcept;

  popsgd::Clock& clock_;
  Node& node_;
  popsgd::Status memory_;  // what mbedTLS says to its own: before the context takes of it
  popsgd::secure::Context context_;
  popsgd::secure::Gate gate_;
  popsgd::serial::SerialLink link_;
  popsgd::LinkUser* within_ = nullptr;  // whose the link's datagrams are; null: nobody is called
  popsgd::Time call_due_{};
};

}  // namespace firmware
