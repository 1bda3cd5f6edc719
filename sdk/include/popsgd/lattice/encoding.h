// What crosses a link: chunks of points modulo 2^bits, and the checksum that tells whether they were read right.
//
//   sender                                    receiver
//   encode(y, lattice, bits)    chunks -->    decode(own y, lattice, bits): the points nearest its own that agree
//   checksum(y, lattice)        4 bytes -->   checksum(points)
//
// If the receiver's own lattice is the same, decode_gap() is decode(), both checksums and difference() at once.
#pragma once

#include <popsgd/lattice/gap.h>
#include <popsgd/lattice/points.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::lattice {

inline constexpr int kFewestBits = 2;
inline constexpr int kMostBits = 16;

/// Bits of the points of a tensor in a model of so many parameters, where others take `bits`. The largest of a few
/// differences is no good guide to the next largest: tensors of less than 1024 parameters and a 32nd of the model have two bits
/// more at the same step, four times the reach. So they, whose bytes do not count, are not what makes a model cross twice.
[[nodiscard]] constexpr int bits_of(std::size_t tensor, std::size_t model, int bits) {
  const bool few = tensor < 1024 && 32 * tensor < model;
  return !few ? bits : bits + 2 < kMostBits ? bits + 2 : kMostBits;
}

/// Bytes that `count` points take at `bits` each: a chunk begins and ends at a byte.
[[nodiscard]] constexpr std::size_t packed_size(std::size_t count, int bits) {
  return (count * static_cast<std::size_t>(bits) + 7) / 8;
}

/// Writes the low `bits` (2 to 16) of each point, the first into the lowest bits of the first byte. Of the last byte
/// what is left is zero. Takes packed_size() bytes.
void encode(const Values& values, Lattice lattice, int bits, std::span<std::byte> packed) noexcept;

/// The sender's points, from its packed ones and the receiver's own values, of either kind. `lattice` is the
/// sender's. With r the points of the receiver's values on it, finds q that agrees with the sender's point modulo
/// 2^bits and has -2^(bits-1) <= q - r < 2^(bits-1). Exact if and only if the sender's point lies in that range:
/// wherever both values are less than 2^(bits-1) - 1 steps apart, nowhere where they are more than 2^(bits-1) + 1
/// apart, and in between as the dither has it. If not, q is wrong by a multiple of 2^bits, and only the checksum
/// tells. Returns the largest |q - r|, how far both models are apart in steps.
std::uint32_t decode(std::span<const std::byte> packed, const Values& own, Lattice lattice, int bits,
                     Points points) noexcept;

/// Of the points of both sides, each after those that gave it.
struct Checksums {
  std::uint32_t own = 0;
  std::uint32_t theirs = 0;
};

/// decode() for a receiver that sends its own values on the same lattice, which is the usual case: its points are made once.
/// Leaves in `gap` what difference() would make of the points, in steps of the lattice, and goes on over both sides' points
/// in `checksums`, if there are any.
std::uint32_t decode_gap(std::span<const std::byte> packed, const Values& own, Lattice lattice, int bits,
                         Side side, Points gap, Checksums* checksums = nullptr) noexcept;

/// CRC-32C of the points as they are before they are reduced modulo 2^bits, 4 little-endian bytes each, after those
/// that gave `so_far`. One wrong point never escapes it; of more than one, one case in 2^32 does.
[[nodiscard]] std::uint32_t checksum(ConstPoints points, std::uint32_t so_far = 0) noexcept;

/// The same of the points of `values`, which are made anew.
[[nodiscard]] std::uint32_t checksum(const Values& values, Lattice lattice,
                                     std::uint32_t so_far = 0) noexcept;

}  // namespace popsgd::lattice
