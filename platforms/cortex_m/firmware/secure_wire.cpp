#include "secure_wire.h"

#include "membership.h"

#include <utility>

namespace firmware {
namespace {

using namespace popsgd;

constexpr secure::Options kOptions{.cookies = false, .remembered = 1};
constexpr secure::Limits kLimits{.links = 1, .handshakes = 1};
constexpr std::uint32_t kPause = 1'000;  // ms from the end of a link to the next call

}  // namespace

SecureWire::SecureWire(serial::Port port, const Services& services, Node& node,
                       SecureWireMemory& memory) noexcept
    : clock_(services.clock),
      node_(node),
      memory_(secure::use_memory(memory.tls)),
      context_(services.entropy, services.clock, kOptions),
      gate_(context_, *this, kLimits),
      link_(SecureWireMemory::kMtu, port, memory.line) {}

Status SecureWire::open(const SwarmKey& key) noexcept {
  const Status status = memory_ == Status::ok ? use(key, context_) : memory_;
  if (status == Status::ok) call();
  return status;
}

void SecureWire::feed(std::span<const std::byte> bytes) noexcept {
  link_.feed(bytes);
  link_.pump();
}

Time SecureWire::turn() noexcept {
  gate_.poll();
  link_.pump();
  if (within_ == nullptr && call_due_.reached(clock_.now())) call();
  return within_ == nullptr ? call_due_ : gate_.deadline();
}

// The gate speaks at once, so the link is open before it has a user there.
void SecureWire::call() noexcept {
  link_.open(*this);
  within_ = gate_.admit(link_, {}, true);
  if (within_ == nullptr) link_.close();
}

void SecureWire::received(Link& link, std::span<const std::byte> datagram) noexcept {
  if (within_ != nullptr) within_->received(link, datagram);
}

void SecureWire::writable(Link& link) noexcept {
  if (within_ != nullptr) within_->writable(link);
}

void SecureWire::closed(Link& link) noexcept {
  call_due_ = clock_.now() + kPause;
  if (LinkUser* const within = std::exchange(within_, nullptr)) within->closed(link);
}

LinkUser& SecureWire::opened(Link& link, const Address&, bool) noexcept {
  if (node_.join(link) != Status::ok) link.close();
  return node_;
}

}  // namespace firmware
