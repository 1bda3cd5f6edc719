#include "agent/wire.h"

#include <popsgd/asio/error.h>

#include <utility>

namespace popsgd::command {
namespace {

constexpr std::uint32_t kRetry = 2'000;  // ms between two attempts to open a port that was lost

}  // namespace

Wire::Wire(net::Loop& loop, std::string device, std::uint32_t baud, LinkUser& user, Tell tell)
    : loop_(loop),
      device_(std::move(device)),
      baud_(baud),
      tell_(std::move(tell)),
      timer_(loop, [this] { open_again(); }),
      port_(std::in_place, loop_, device_, baud_, static_cast<net::SerialUser&>(*this)),
      link_(kMtu,
            {[](void* wire, std::span<const std::byte> bytes) noexcept {
               auto& port = static_cast<Wire*>(wire)->port_;
               return port ? port->write(bytes) : bytes.size();
             },
             this},
            memory_) {
  link_.open(user);
}

void Wire::lost(std::string_view reason) noexcept {
  tell_(device_ + " is lost: " + std::string(reason) + "; it is opened again when it is back");
  timer_.after(kRetry);
}

void Wire::open_again() {
  port_.reset();
  try {
    port_.emplace(loop_, device_, baud_, static_cast<net::SerialUser&>(*this));
    link_.pump();  // what the lost one did not take
    tell_(device_ + " is back");
  } catch (const net::Error&) {
    timer_.after(kRetry);
  }
}

}  // namespace popsgd::command
