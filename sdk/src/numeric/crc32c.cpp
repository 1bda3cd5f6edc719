#include "numeric/crc32c.h"

#include "numeric/little_endian.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE4_2__) && defined(__x86_64__)
#include <nmmintrin.h>
#define POPSGD_CRC32C_INSTRUCTION 1
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define POPSGD_CRC32C_INSTRUCTION 1
#else
#define POPSGD_CRC32C_INSTRUCTION 0
#endif

namespace popsgd {

#if POPSGD_CRC32C_INSTRUCTION

namespace {

// The register stays in 64 bits: to cut it down after each step would lengthen the chain by a cycle.
std::uint64_t take_eight(std::uint64_t crc, std::uint64_t eight) noexcept {
#if defined(__SSE4_2__)
  return _mm_crc32_u64(crc, eight);
#else
  return __crc32cd(static_cast<std::uint32_t>(crc), eight);
#endif
}

std::uint32_t take_one(std::uint32_t crc, std::uint8_t one) noexcept {
#if defined(__SSE4_2__)
  return _mm_crc32_u8(crc, one);
#else
  return __crc32cb(crc, one);
#endif
}

// As get() does, in one load: of get() at several places gcc 12 makes vector code for single bytes, four times as slow.
std::uint64_t eight_at(std::span<const std::byte> bytes, std::size_t offset) noexcept {
  if constexpr (std::endian::native != std::endian::little) return numeric::get<std::uint64_t>(bytes, offset);
  std::uint64_t eight = 0;
  std::memcpy(&eight, bytes.data() + offset, sizeof eight);
  return eight;
}

// Bytes of a lane. Of a frame of 1.2 kB five sixths lie in three of them, of a slice of points all but a word.
constexpr std::size_t kLane = 168;

constexpr std::uint32_t kPolynomial = 0x82F63B78U;  // 0x1EDC6F41, its bits reversed

// kPast[k][d]: what digit d, hexadecimal, at place k of the register becomes when a lane of zeros follows it. The
// register is linear in its bits.
constexpr std::array<std::array<std::uint32_t, 16>, 8> kPast = [] {
  std::array<std::array<std::uint32_t, 16>, 8> table{};
  for (std::uint32_t place = 0; place < 32; ++place) {
    std::uint32_t rest = 1U << place;
    for (std::size_t bit = 0; bit < 8 * kLane; ++bit)
      rest = rest >> 1 ^ ((rest & 1U) != 0 ? kPolynomial : 0U);
    for (std::uint32_t digit = 0; digit < 16; ++digit)
      if ((digit >> place % 4 & 1U) != 0) table[place / 4][digit] ^= rest;
  }
  return table;
}();

std::uint32_t past_lane(std::uint32_t crc) noexcept {
  std::uint32_t past = 0;
  for (std::size_t k = 0; k < kPast.size(); ++k) past ^= kPast[k][crc >> 4 * k & 0xFU];
  return past;
}

// The register past three lanes at a time. None of them waits for what came before, which is moved past them at the end.
std::uint32_t take_lanes(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t c = 0;
  for (std::size_t k = 0; k < kLane; k += 8) {
    a = take_eight(a, eight_at(bytes, k));
    b = take_eight(b, eight_at(bytes, kLane + k));
    c = take_eight(c, eight_at(bytes, 2 * kLane + k));
  }
  crc = past_lane(crc) ^ static_cast<std::uint32_t>(a);
  crc = past_lane(crc) ^ static_cast<std::uint32_t>(b);
  return past_lane(crc) ^ static_cast<std::uint32_t>(c);
}

}  // namespace

// A chain of instructions, each of which waits three cycles for the one before (x86), takes eight bytes in three cycles.
// Three of them at a time keep the unit busy, which begins one a cycle.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far) noexcept {
  std::uint32_t crc = ~so_far;
  for (; bytes.size() >= 3 * kLane; bytes = bytes.subspan(3 * kLane)) crc = take_lanes(bytes, crc);
  std::uint64_t eights = crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) eights = take_eight(eights, eight_at(bytes, 0));
  crc = static_cast<std::uint32_t>(eights);
  for (const std::byte byte : bytes) crc = take_one(crc, std::to_integer<std::uint8_t>(byte));
  return ~crc;
}

#else

// A microcontroller has links slower than either and flash to save. A host has 8 kB to spare for eleven times the speed,
// and the compiler's default target, of a binary that travels, lacks the instruction. What is not called is not linked.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far) noexcept {
  return sizeof(void*) >= 8 ? numeric::crc32c_sliced(bytes, so_far) : numeric::crc32c_small(bytes, so_far);
}

#endif

}  // namespace popsgd
