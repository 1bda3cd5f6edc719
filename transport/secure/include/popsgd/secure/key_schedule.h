// What members of a swarm derive from the one key they share: who is let in, and whose beacon is believed.
#pragma once

#include <popsgd/status.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::secure {

/// Bytes of a key: the swarm's, and all that are derived from it.
inline constexpr std::size_t kKeySize = 32;
using Key = std::array<std::byte, kKeySize>;

/// The keys of one epoch. Members accept the epoch they are in and the one before; whoever has left the swarm and lacks the next
/// swarm key is out two epochs later.
struct EpochKeys {
  std::uint32_t epoch = 0;
  /// Names the epoch's key to a peer, in the clear, as lower-case hexadecimal: the PSK identity of TLS (RFC 4279, 5.1). Tells an
  /// outsider neither the swarm nor the epoch.
  std::array<char, 16> identity{};
  Key psk{};     ///< TLS's pre-shared key
  Key beacon{};  ///< for tag() over beacons

  friend bool operator==(const EpochKeys&, const EpochKeys&) = default;
};

/// Derives the keys of `epoch` by HKDF-SHA256 (RFC 5869): extracted once with the salt "popsgd swarm key 1", expanded with
/// "identity", "tls psk" and "beacon", each followed by the epoch's number in 4 bytes, big-endian. no_room: mbedTLS has no memory,
/// `into` means nothing.
[[nodiscard]] Status derive(std::span<const std::byte, kKeySize> swarm_key, std::uint32_t epoch,
                            EpochKeys& into) noexcept;

/// Writes the first tag.size() bytes, 8 to 32, of HMAC-SHA256 (RFC 2104, FIPS 180-4) of the message. no_room: mbedTLS has no memory;
/// the tag means nothing.
[[nodiscard]] Status tag(const Key& key, std::span<const std::byte> message,
                         std::span<std::byte> tag) noexcept;

/// `tag`, 8 to 32 bytes, is the message's. The time it takes says nothing about where they differ.
[[nodiscard]] bool verify(const Key& key, std::span<const std::byte> message,
                          std::span<const std::byte> tag) noexcept;

/// Overwrites a key in a way that no compiler takes away.
void forget(std::span<std::byte> key) noexcept;

}  // namespace popsgd::secure
