// What an exchange costs on the wire, byte by byte, over a stream that carries frames of the largest size.
//
//     OFFER  ACCEPT  [chunks of the initiator's model]  [chunks of the responder's]  READY  COMMIT
//
// as sdk/src/codec writes them for agents that may quantise, each with its seal; a unit test holds the sizes to it. READY
// carries the checksums of both models. A lattice adds to each side's chunks the bits (1 byte), and of every tensor the
// exponent and an integer model's fraction (1 byte each). Points that were out of reach cost all chunks of their side again,
// with the new number of bits, and one more READY; the responder's AGAIN, too.
#pragma once

#include <cstddef>
#include <cstdint>

namespace popsgd::sim::wire {

inline constexpr std::uint64_t kSeal = 4;
inline constexpr std::uint64_t kOffer = 94 + kSeal;
inline constexpr std::uint64_t kAccept = 94 + kSeal;
inline constexpr std::uint64_t kReady = 61 + kSeal;  // with an acknowledgement
inline constexpr std::uint64_t kCommit = 45 + kSeal;
inline constexpr std::uint64_t kAgain = 45 + kSeal;
inline constexpr std::uint64_t kLargestFrame = 65'535;
inline constexpr std::uint64_t kBesideChunk = 52 + kSeal;

/// Bytes of the frames that carry `payload` bytes one way.
[[nodiscard]] constexpr std::uint64_t framed(std::uint64_t payload) {
  constexpr std::uint64_t kChunk = kLargestFrame - kBesideChunk;
  return payload + (payload + kChunk - 1) / kChunk * kBesideChunk;
}

/// Bytes of the frames that carry nothing.
inline constexpr std::uint64_t kControl = kOffer + kAccept + kReady + kCommit;

/// Bytes of an exchange of so many bytes each way.
[[nodiscard]] constexpr std::uint64_t exchange(std::uint64_t initiators, std::uint64_t responders) {
  return kControl + framed(initiators) + framed(responders);
}

}  // namespace popsgd::sim::wire
