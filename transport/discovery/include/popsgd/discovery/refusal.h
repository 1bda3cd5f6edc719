// Why something that came over the network was not believed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace popsgd::discovery {

enum class Refusal : std::uint8_t {
  none,
  wrong_length,      ///< not as long as such a message is
  wrong_magic,       ///< no message of discovery
  unknown_version,   ///< of a version that this one does not know
  damaged,           ///< its checksum is wrong
  invalid_field,     ///< a count or a transport outside its range
  no_id,             ///< the id is 0
  other_swarm,       ///< of another swarm
  own,               ///< this agent's own message or address
  keyed,             ///< a beacon of a swarm that has a key, where there is none
  unkeyed,           ///< a beacon without a code, where there is a key
  other_epoch,       ///< a beacon of an epoch whose key is not accepted (any more, or yet)
  forged,            ///< a beacon whose code is not that of the swarm's key
  too_many,          ///< a beacon that was not looked at, after so many others in this second
  no_port,           ///< the port is 0, or there is none for a transport that is spoken here
  unspecified,       ///< an address that names nobody: ::, 0.0.0.0/8
  multicast,         ///< an address that names many: ff00::/8, 224.0.0.0/4, 255.255.255.255
  foreign_loopback,  ///< a loopback address, told by somebody on another machine
  foreign_scope,     ///< a link-local address, told by somebody who cannot know this machine's interfaces
  unknown_link,      ///< no link of this number is open
  no_hello,          ///< on a link whose other end has not said hello
  no_room,           ///< all places are taken by peers that stay
};
inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::no_room) + 1;

/// A few words for a person, e.g. "of another swarm".
[[nodiscard]] std::string_view text(Refusal refusal) noexcept;

/// How often each has happened; 2^32 - 1 means as often or more.
class Refusals {
 public:
  /// Counts it, unless it is none; returns it.
  constexpr Refusal count(Refusal refusal) {
    std::uint32_t& counter = counts_[static_cast<std::size_t>(refusal)];
    if (refusal != Refusal::none && counter != UINT32_MAX) ++counter;
    return refusal;
  }
  [[nodiscard]] constexpr std::uint32_t of(Refusal refusal) const {
    return counts_[static_cast<std::size_t>(refusal)];
  }

 private:
  std::array<std::uint32_t, kRefusals> counts_{};
};

}  // namespace popsgd::discovery
