// Whom the device meets over TCP: peers that say hello as those of popsgd agent do, found by discovery.
#pragma once

#include "door.h"
#include "ethernet/tcp.h"
#include "node.h"

#include <popsgd/discovery/discovery.h>
#include <popsgd/link.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace firmware {

class Neighbours final : popsgd::cortex_m::TcpListener, popsgd::LinkUser {
 public:
  static constexpr std::size_t kLinks = popsgd::cortex_m::TcpTransport::kLinks;

  /// `config`: of discovery, whose transport is TCP. Null: no door, whoever is there comes in.
  Neighbours(Node& node, popsgd::Clock& clock, const popsgd::discovery::Config& config, Door* door) noexcept;

  /// A peer to be called, again and again until it answers. false: it cannot be called.
  [[nodiscard]] bool add(const popsgd::Address& peer) noexcept;
  /// Does what is due; when it is due again.
  popsgd::Time turn() noexcept;

 private:
  struct Path {
    popsgd::Link* link = nullptr;  // null: free
    bool met = false;              // the node may choose the peer
    popsgd::Time heard{};
  };

  popsgd::LinkUser& opened(popsgd::Link& link, const popsgd::Address& remote, bool dialled) noexcept override;
  void dial_failed(const popsgd::Address& remote) noexcept override;
  void received(popsgd::Link& link, std::span<const std::byte> frame) noexcept override;
  void writable(popsgd::Link& link) noexcept override { node_.writable(link); }
  void closed(popsgd::Link& link) noexcept override;

  [[nodiscard]] std::size_t place(const popsgd::Link* link) const noexcept;
  void carry(const popsgd::discovery::Action& action) noexcept;
  void doubt_the_silent(popsgd::Time now) noexcept;
  void forget(Path& path) noexcept;

  Node& node_;
  popsgd::Clock& clock_;
  Door* door_;
  popsgd::discovery::Memory<kLinks> memory_{};
  popsgd::discovery::Discovery discovery_;
  popsgd::cortex_m::TcpTransport tcp_;
  std::array<Path, kLinks> paths_{};  // a link's number is its place
};

}  // namespace firmware
