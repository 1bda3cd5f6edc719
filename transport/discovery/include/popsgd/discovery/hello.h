// What both ends of a new link say before any frame: hello; and whom else one could dial.
#pragma once

#include <popsgd/discovery/beacon.h>
#include <popsgd/discovery/endpoint.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::discovery {

/// Whether a message on a link is one of these, by its first four bytes, and no frame of the SDK.
[[nodiscard]] bool is_hello(
    std::span<const std::byte> message) noexcept;  ///< "PSGH": decode_hello() of beacon.h
[[nodiscard]] bool is_peers(std::span<const std::byte> message) noexcept;  ///< "PSGP": decode_peers()

inline constexpr std::size_t kPeersPerMessage = 16;

/// Addresses that another agent has found to be alive. Numbers are little-endian:
///
///   offset bytes
///        0     4  "PSGP"
///        4     1  version: 1
///        5     1  n, 0 to 16
///        6     2  zero; not looked at
///        8  20 n  each: address 16 (IPv4 mapped), port 2, transport 1 (0 TCP, 1 UDP), zero 1, not looked at
///   8 + 20n     4  CRC-32C of the bytes before
///
/// The scope of an address does not travel: it is one machine's own.
struct PeerList {
  std::array<Endpoint, kPeersPerMessage> endpoints{};
  std::size_t size = 0;

  [[nodiscard]] std::span<const Endpoint> all() const { return std::span(endpoints).first(size); }
};

inline constexpr std::size_t kLongestPeers = 8 + 20 * kPeersPerMessage + 4;
using PeersBytes = std::array<std::byte, kLongestPeers>;

/// Returns how long the message is. At most kPeersPerMessage endpoints; what is beyond is left out.
std::size_t encode_peers(std::span<const Endpoint> endpoints, PeersBytes& into) noexcept;

/// `bytes` may be anything. none: `into` is set; else wrong_length, wrong_magic, unknown_version, damaged, invalid_field;
/// `into` is not touched. What is in it is no more than a rumour: see worth_dialling().
[[nodiscard]] Refusal decode_peers(std::span<const std::byte> bytes, PeerList& into) noexcept;

/// Of two links between the same pair, one dialled by each, that one stays which the agent with the smaller id has dialled.
/// Both come to the same answer about each link.
[[nodiscard]] constexpr bool stays(std::uint64_t own, std::uint64_t peer, bool dialled_by_own) {
  return dialled_by_own == (own < peer);
}

}  // namespace popsgd::discovery
