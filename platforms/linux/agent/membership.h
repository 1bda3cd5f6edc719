// Between the transports and the agent: only links to members of the swarm come through.
#pragma once

#include "device/clock.h"
#include "device/entropy.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/asio/listener.h>
#include <popsgd/asio/loop.h>
#include <popsgd/secure/gate.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace popsgd::command {

class Membership final : public net::Listener {
 public:
  using Tell = std::function<void(const std::string& line)>;

  using Name = std::function<std::string(const Address& remote)>;

  /// `members` is told of links that are secure, as a transport would tell it of any. `name`: what peers are called in what is told.
  /// Throws net::Error: no entropy, or no memory.
  Membership(net::Loop& loop, const secure::SwarmKeys& keys, net::Listener& members, Tell tell,
             const secure::Options& options = {}, const secure::Limits& limits = {},
             Name name = net::to_text);

  /// New links are of these keys. Those that are open live on if they are of the same swarm key, and end otherwise. Throws net::Error.
  void use(const secure::SwarmKeys& keys, bool same_key);

  LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept override;
  void dial_failed(const Address& remote, std::string_view reason) noexcept override;

 private:
  /// Hears of the gate.
  class Doorman final : public secure::Listener {
   public:
    explicit Doorman(Membership& membership) : membership_(membership) {}
    LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept override;
    void refused(const Address& remote, bool dialled, secure::Refusal refusal) noexcept override;
    void scheduled() noexcept override;

   private:
    Membership& membership_;
  };
  /// Of links that are closed at once.
  class Nobody final : public LinkUser {
   public:
    void received(Link&, std::span<const std::byte>) noexcept override {}
    void writable(Link&) noexcept override {}
    void closed(Link&) noexcept override {}
  };
  /// Of one reason: what a flood may make the log say.
  struct Silence {
    Time until{};
    std::uint64_t unsaid = 0;
    bool set = false;
  };

  void poll();
  void note(const Address& remote, bool dialled, secure::Refusal refusal);

  net::Listener& members_;
  Tell tell_;
  Name name_;
  device::KernelEntropy entropy_{};
  device::MonotonicClock clock_{};
  secure::Context context_;
  Doorman doorman_;
  Nobody nobody_{};
  secure::Gate gate_;
  std::array<Silence, secure::kRefusals> silences_{};
  net::Timer timer_;
};

}  // namespace popsgd::command
