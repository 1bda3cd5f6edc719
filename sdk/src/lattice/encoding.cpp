#include "lattice/quantiser.h"
#include "numeric/crc32c.h"
#include "numeric/little_endian.h"

#include <popsgd/assert.h>
#include <popsgd/lattice/encoding.h>

#include <algorithm>
#include <array>
#include <bit>

namespace popsgd::lattice {
namespace {

// Any width, through a register that holds fewer than 8 bits between points.
void write_bits(ConstPoints points, int bits, std::byte* out) {
  const std::uint32_t mask = (1U << bits) - 1;
  std::uint32_t held = 0;
  int holding = 0;
  for (const std::int32_t point : points) {
    held |= (static_cast<std::uint32_t>(point) & mask) << holding;
    for (holding += bits; holding >= 8; holding -= 8, held >>= 8)
      *out++ = static_cast<std::byte>(held & 0xFFU);
  }
  if (holding > 0) *out = static_cast<std::byte>(held);
}

void read_bits(const std::byte* in, int bits, std::span<std::uint32_t> received) {
  const std::uint32_t mask = (1U << bits) - 1;
  std::uint32_t held = 0;
  int holding = 0;
  for (std::uint32_t& point : received) {
    for (; holding < bits; holding += 8) held |= std::to_integer<std::uint32_t>(*in++) << holding;
    point = held & mask;
    held >>= bits;
    holding -= bits;
  }
}

// The low bits of the points of a slice. Widths that share bytes evenly are loops that become vector code.
template <typename Length>
[[gnu::always_inline]] inline void write_slice(const std::int32_t* points, Length length, int bits,
                                               std::byte* __restrict out) {
  if (!numeric::kSmall && bits == 4 && length % 2 == 0) {
    POPSGD_WRITTEN_OUT(4)
    for (std::size_t j = 0; j < length / 2; ++j)
      out[j] = static_cast<std::byte>((points[2 * j] & 0xF) | (points[2 * j + 1] & 0xF) << 4);
  } else if (!numeric::kSmall && bits == 8) {
    for (std::size_t j = 0; j < length; ++j) out[j] = static_cast<std::byte>(points[j] & 0xFF);
  } else if (!numeric::kSmall && bits == 16) {
    for (std::size_t j = 0; j < length; ++j) {
      out[2 * j] = static_cast<std::byte>(points[j] & 0xFF);
      out[2 * j + 1] = static_cast<std::byte>(points[j] >> 8 & 0xFF);
    }
  } else {
    write_bits({points, length}, bits, out);
  }
}

// What write_slice() wrote; of 4 bits with more above them, which do not matter.
template <typename Length>
[[gnu::always_inline]] inline void read_slice(const std::byte* __restrict in, int bits, Length length,
                                              std::uint32_t* __restrict received) {
  if (!numeric::kSmall && bits == 4 && length % 2 == 0) {
    for (std::size_t j = 0; j < length / 2; ++j) {
      const auto byte = std::to_integer<std::uint32_t>(in[j]);
      received[2 * j] = byte;
      received[2 * j + 1] = byte >> 4;
    }
  } else if (!numeric::kSmall && bits == 8) {
    for (std::size_t j = 0; j < length; ++j) received[j] = std::to_integer<std::uint32_t>(in[j]);
  } else if (!numeric::kSmall && bits == 16) {
    for (std::size_t j = 0; j < length; ++j) {
      received[j] = std::to_integer<std::uint32_t>(in[2 * j]) | std::to_integer<std::uint32_t>(in[2 * j + 1])
                                                                    << 8;
    }
  } else {
    read_bits(in, bits, {received, length});
  }
}

// What is made of packed points: the partner's points, or at once the gap, of which each side has its own sign.
enum class Decoded : std::uint8_t { points, initiators_gap, responders_gap };

// offsets <- from `own` to the nearest points that agree with `received` modulo 2^bits; returns the largest of `furthest`
// and their magnitudes. Unsigned until the end: differences may wrap around.
template <typename Length>
[[gnu::always_inline]] inline std::int32_t nearest(const std::int32_t* own, const std::uint32_t* received,
                                                   int bits, Length length, std::int32_t furthest,
                                                   std::int32_t* __restrict offsets) {
  const int spare = 32 - bits;
  for (std::size_t j = 0; j < length; ++j) {
    const std::uint32_t offset = (received[j] - static_cast<std::uint32_t>(own[j])) << spare;
    offsets[j] = static_cast<std::int32_t>(offset) >> spare;
    furthest = std::max(furthest, offsets[j] < 0 ? -offsets[j] : offsets[j]);
  }
  return furthest;
}

// The same of points of 4 bits as they lie packed, an even number of them, without vectors. Which offsets there are is
// remembered in a bit for each: bit -offset modulo 32.
std::int32_t nearest_of_four(const std::int32_t* own, const std::byte* packed, std::size_t length,
                             std::int32_t furthest, std::int32_t* __restrict offsets) {
  std::uint32_t seen = 0;
  const auto offset_of = [&seen](std::uint32_t received, std::int32_t point) {
    const std::int32_t offset =
        static_cast<std::int32_t>((received - static_cast<std::uint32_t>(point)) << 28) >> 28;
    seen |= std::rotr(1U, offset);
    return offset;
  };
  POPSGD_WRITTEN_OUT(4) for (std::size_t j = 0; j < length; j += 2) {
    const auto byte = std::to_integer<std::uint32_t>(packed[j / 2]);
    offsets[j] = offset_of(byte, own[j]);
    offsets[j + 1] = offset_of(byte >> 4, own[j + 1]);
  }
  const int above = 32 - std::countr_zero(seen & 0xFFFF0000U);
  const int below = static_cast<int>(std::bit_width(seen & 0xFFFFU)) - 1;
  return std::max({furthest, std::int32_t{above}, std::int32_t{below}});
}

// Goes on over the points of a slice of both sides; theirs are made in `memory`.
void take(const std::int32_t* mine, const std::int32_t* offsets, std::size_t length, std::int32_t* memory,
          Checksums& checksums) {
  for (std::size_t j = 0; j < length; ++j) memory[j] = mine[j] + offsets[j];
  checksums.own = checksum({mine, length}, checksums.own);
  checksums.theirs = checksum({memory, length}, checksums.theirs);
}

// out <- the points, or the gap between both sides', from the offsets in its place.
template <typename Length>
[[gnu::always_inline]] inline void conclude(const std::int32_t* mine, Decoded as, Length length,
                                            std::int32_t* __restrict out) {
  if (as == Decoded::points)
    for (std::size_t j = 0; j < length; ++j) out[j] += mine[j];
  if (as == Decoded::responders_gap)
    for (std::size_t j = 0; j < length; ++j) out[j] = -out[j];
}

std::uint32_t decode(std::span<const std::byte> packed, const Values& own, Lattice lattice, int bits,
                     Decoded as, Points out, Checksums* checksums) {
  POPSGD_ASSERT(kFewestBits <= bits && bits <= kMostBits);
  POPSGD_ASSERT(packed.size() == packed_size(own.size(), bits) && out.size() == own.size());
  std::int32_t furthest = 0;
  in_stored_slices(own, lattice, [=, &furthest](std::size_t k, const std::int32_t* mine, auto length) {
    std::uint32_t received[kSlice];
    const std::byte* in = packed.data() + packed_size(k, bits);
    if (numeric::kScalar && bits == 4 && length % 2 == 0) {
      furthest = nearest_of_four(mine, in, length, furthest, out.data() + k);
    } else {
      read_slice(in, bits, length, received);
      furthest = nearest(mine, received, bits, length, furthest, out.data() + k);
    }
    if (checksums != nullptr)
      take(mine, out.data() + k, length, reinterpret_cast<std::int32_t*>(received), *checksums);
    conclude(mine, as, length, out.data() + k);
  });
  return static_cast<std::uint32_t>(furthest);
}

}  // namespace

void encode(const Values& values, Lattice lattice, int bits, std::span<std::byte> packed) noexcept {
  POPSGD_ASSERT(kFewestBits <= bits && bits <= kMostBits);
  POPSGD_ASSERT(packed.size() == packed_size(values.size(), bits));
  in_stored_slices(values, lattice, [=](std::size_t k, const std::int32_t* points, auto length) {
    write_slice(points, length, bits, packed.data() + packed_size(k, bits));
  });
}

std::uint32_t decode(std::span<const std::byte> packed, const Values& own, Lattice lattice, int bits,
                     Points points) noexcept {
  return decode(packed, own, lattice, bits, Decoded::points, points, nullptr);
}

std::uint32_t decode_gap(std::span<const std::byte> packed, const Values& own, Lattice lattice, int bits,
                         Side side, Points gap, Checksums* checksums) noexcept {
  const Decoded as = side == Side::initiator ? Decoded::initiators_gap : Decoded::responders_gap;
  return decode(packed, own, lattice, bits, as, gap, checksums);
}

std::uint32_t checksum(ConstPoints points, std::uint32_t so_far) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    return numeric::crc32c(std::as_bytes(points), so_far);
  } else {
    for (const std::int32_t point : points) {
      std::array<std::byte, 4> bytes;
      numeric::put(std::span<std::byte>(bytes), 0, static_cast<std::uint32_t>(point));
      so_far = numeric::crc32c(bytes, so_far);
    }
    return so_far;
  }
}

std::uint32_t checksum(const Values& values, Lattice lattice, std::uint32_t so_far) noexcept {
  in_stored_slices(values, lattice, [&so_far](std::size_t, const std::int32_t* points, std::size_t length) {
    so_far = checksum({points, length}, so_far);
  });
  return so_far;
}

}  // namespace popsgd::lattice
