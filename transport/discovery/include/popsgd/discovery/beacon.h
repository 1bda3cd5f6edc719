// What an agent says of itself: to everybody as a beacon, to the other end of a new link as a hello.
#pragma once

#include <popsgd/discovery/beacon_key.h>
#include <popsgd/discovery/refusal.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace popsgd::discovery {

/// 64-bit FNV-1a of the swarm's name. It keeps swarms apart that mean no harm; it proves nothing, and does not hide the
/// name from anybody who guesses it.
[[nodiscard]] std::uint64_t swarm_tag(std::string_view name) noexcept;

/// What both say. Numbers are little-endian:
///
///   offset bytes
///        0     4  "PSGB" of a beacon, "PSGH" of a hello. A frame of the SDK begins with an offset below 2^16: its third
///                 and fourth byte are 0, so no frame is taken for one of these, or the other way round
///        4     1  version: 1; 2 of a beacon of a swarm that has a key
///        5     1  flags; unknown ones are passed over
///        6     2  TCP port, 0: none
///        8     2  UDP port, 0: none
///       10     2  version 1: zero, not looked at; version 2: epoch of the key, its lower half
///       12     8  tag of the swarm
///       20     8  id
///       28    16  version 1: zero, not looked at; version 2: the key's code of the 28 bytes before
///       44     4  CRC-32C of the bytes before
struct Announcement {
  std::uint64_t swarm = 0;     ///< swarm_tag()
  std::uint64_t id = 0;        ///< random, drawn anew at each start; never 0
  std::uint16_t tcp_port = 0;  ///< where it listens
  std::uint16_t udp_port = 0;
  std::uint8_t flags = 0;
  bool keyed = false;       ///< version 2: it has the two below
  std::uint16_t epoch = 0;  ///< BeaconKey::epoch()
  BeaconCode code{};        ///< not to be believed before proves() has looked at it

  friend bool operator==(const Announcement&, const Announcement&) = default;
};

/// Flag of a hello: the one from the other end of the link has come, and wants no other answer.
inline constexpr std::uint8_t kAnswered = 1;

inline constexpr std::size_t kAnnouncement = 48;
using AnnouncementBytes = std::array<std::byte, kAnnouncement>;

/// Of an announcement with `keyed` set, epoch and code are set by `key`. A hello has neither: it goes over a link that has
/// proven by other means whom it leads to.
[[nodiscard]] AnnouncementBytes encode_beacon(const Announcement& announcement) noexcept;
[[nodiscard]] AnnouncementBytes encode_beacon(const Announcement& announcement, BeaconKey& key) noexcept;
[[nodiscard]] AnnouncementBytes encode_hello(const Announcement& announcement) noexcept;

/// `bytes` may be anything. none: `into` is set; else wrong_length, wrong_magic, unknown_version, damaged, no_id, or, of
/// a beacon without any port, no_port; `into` is not touched. (Whoever says hello is on a link already, and need not listen.)
[[nodiscard]] Refusal decode_beacon(std::span<const std::byte> bytes, Announcement& into) noexcept;
[[nodiscard]] Refusal decode_hello(std::span<const std::byte> bytes, Announcement& into) noexcept;

/// Whether the code of `beacon`, which decode_beacon() has made `said` of, is that of a key which `key` accepts: none, unkeyed,
/// other_epoch, forged. Only the last step computes a code. It says nothing about who sent it, or when: anybody may send again
/// what was once sent.
[[nodiscard]] Refusal proves(std::span<const std::byte> beacon, const Announcement& said,
                             BeaconKey& key) noexcept;

}  // namespace popsgd::discovery
