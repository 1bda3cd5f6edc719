// A script of what happens to an agent that looks for peers, as bytes: a verb, its arguments, and the next.
#pragma once

#include "script.h"

#include <popsgd/discovery/discovery.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace popsgd::test {

/// Verbs, modulo their number, with their arguments:
///   heard      host, length, bytes   a datagram where beacons come
///   beacon     host, id, port        a valid one
///   open       link, host, dialled
///   message    link, length, bytes   on a link
///   hello      link, id, flags       a valid one
///   peers      link, count, bytes    a valid list of any addresses
///   close      link
///   fail       host
///   wait       ms / 64
///   add        host
class DiscoveryScript {
 public:
  enum Verb : std::uint8_t { heard, beacon, open, message, hello, peers, close, fail, wait, add, verbs };
  static constexpr std::uint64_t kOwn = 8;

  explicit DiscoveryScript(std::span<const std::byte> script)
      : discovery(config(), memory, now), script_(script) {}

  /// Does what comes next; false at the end.
  bool step() {
    using namespace discovery;
    if (script_.ended()) return false;
    switch (script_.next() % verbs) {
      case heard: {
        const Address from = host();
        static_cast<void>(agent().heard(exactly(script_.bytes(2)), from, now));
        break;
      }
      case beacon: {
        const Address from = host();
        const std::uint8_t id = script_.next();
        const AnnouncementBytes valid =
            encode_beacon({.swarm = swarm_tag("fuzz"), .id = id, .tcp_port = script_.next(), .udp_port = id});
        static_cast<void>(agent().heard(valid, from, now));
        break;
      }
      case open: {
        const LinkId opened = link();
        const Address far = host();
        static_cast<void>(agent().opened(opened,
                                         {far, script_.next() % 2 == 0 ? Transport::tcp : Transport::udp},
                                         script_.next() % 2 == 0, now));
        break;
      }
      case message: {
        const LinkId on = link();
        static_cast<void>(agent().received(on, exactly(script_.bytes(2)), now));
        break;
      }
      case hello: {
        const LinkId on = link();
        const std::uint8_t id = script_.next();
        const AnnouncementBytes valid =
            encode_hello({.swarm = swarm_tag("fuzz"), .id = id, .tcp_port = id, .flags = script_.next()});
        static_cast<void>(agent().received(on, valid, now));
        break;
      }
      case peers:
        tell(link());
        break;
      case close:
        agent().closed(link(), now);
        break;
      case fail:
        agent().failed({host()}, now);
        break;
      case wait:
        now = now + 64U * script_.next();
        break;
      default:
        static_cast<void>(agent().add({host()}, now));
        break;
    }
    return true;
  }

  Time now{0xFFFFFF00U};
  discovery::Memory<6> memory{};
  discovery::Discovery discovery;

 private:
  static discovery::Config config() {
    return {.swarm = discovery::swarm_tag("fuzz"), .id = kOwn, .seed = 1, .tcp_port = 9, .dials_udp = true};
  }
  [[nodiscard]] popsgd::discovery::Discovery& agent() { return discovery; }

  // With nothing behind it.
  std::span<const std::byte> exactly(std::span<const std::byte> bytes) {
    copy_.assign(bytes.begin(), bytes.end());
    copy_.shrink_to_fit();
    return copy_;
  }
  popsgd::discovery::LinkId link() { return popsgd::discovery::LinkId{script_.next() % 16U}; }
  Address host() {
    const std::uint8_t which = script_.next();
    if (which < 200) return v4_address({10, 0, 0, which}, which);
    if (which < 210) return v4_address({127, 0, 0, which}, which);
    Address v6{.port = which, .scope = which % 2U};
    v6.ip[0] = which % 4 < 2 ? 0xFE : 0xFF;
    v6.ip[1] = 0x80;
    return v6;
  }
  void tell(popsgd::discovery::LinkId on) {
    using namespace discovery;
    std::array<Endpoint, kPeersPerMessage> endpoints{};
    const std::size_t count = script_.next() % (kPeersPerMessage + 1);
    for (Endpoint& endpoint : std::span(endpoints).first(count)) endpoint = {host()};
    PeersBytes valid{};
    const std::size_t length = encode_peers(std::span(endpoints).first(count), valid);
    static_cast<void>(agent().received(on, std::span(valid).first(length), now));
  }

  Script script_;
  std::vector<std::byte> copy_;
};

}  // namespace popsgd::test
