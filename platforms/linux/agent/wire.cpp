#include "agent/wire.h"

#include <popsgd/asio/error.h>

#include <utility>

namespace popsgd::command {
namespace {

constexpr std::uint32_t kRetry =
    500;  // ms until a port that was lost, or a link that was closed, is tried again

}  // namespace

Wire::Wire(net::Loop& loop, std::string device, std::uint32_t baud, Meet meet, Tell tell)
    : loop_(loop),
      device_(std::move(device)),
      baud_(baud),
      meet_(std::move(meet)),
      tell_(std::move(tell)),
      timer_(loop, [this] { turn(); }),
      port_(std::in_place, loop_, device_, baud_, static_cast<net::SerialUser&>(*this)),
      link_(kMtu,
            {[](void* wire, std::span<const std::byte> bytes) noexcept {
               auto& self = *static_cast<Wire*>(wire);
               return self.port_ ? self.port_->write(bytes) : bytes.size();
             },
             this},
            memory_) {
  begin();
}

void Wire::begin() {
  link_.open(*this);
  user_ = &meet_(*this);
}

// Whoever closes it hears of that later.
void Wire::close() noexcept {
  link_.close();
  timer_.after(0);
}

void Wire::closed(Link&) noexcept {
  if (LinkUser* const user = std::exchange(user_, nullptr)) user->closed(*this);
  timer_.after(kRetry);
}

void Wire::turn() {
  if (user_ != nullptr)
    link_.pump();  // it was closed
  else if (lost_)
    open_again();
  else
    begin();
}

void Wire::lost(std::string_view reason) noexcept {
  tell_(device_ + " is lost: " + std::string(reason) + "; it is opened again when it is back");
  lost_ = true;
  close();
}

void Wire::open_again() {
  port_.reset();
  try {
    port_.emplace(loop_, device_, baud_, static_cast<net::SerialUser&>(*this));
    lost_ = false;
    tell_(device_ + " is back");
    begin();
  } catch (const net::Error&) {
    timer_.after(kRetry);
  }
}

}  // namespace popsgd::command
