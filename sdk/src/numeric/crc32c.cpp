#include "numeric/crc32c.h"

#include "numeric/little_endian.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE4_2__) && defined(__x86_64__)
#include <immintrin.h>
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

constexpr std::uint32_t kPolynomial = 0x82F63B78U;  // 0x1EDC6F41, its bits reversed

// The register, which is a polynomial with its bits reversed, times so many powers of x.
constexpr std::uint32_t times_powers(std::uint32_t crc, std::size_t powers) {
  for (std::size_t bit = 0; bit < powers; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
  return crc;
}

#if defined(__VPCLMULQDQ__) && defined(__AVX512F__)

// Sixteen words of 128 bits side by side, of 256 bytes, which products of polynomials move past the next 256 (Gopal et al.,
// "Fast CRC computation for generic polynomials using PCLMULQDQ", Intel 2009). What is left at last has the remainder of all.
class Folded {
 public:
  static constexpr std::size_t kBytes = 256;

  Folded(const std::byte* first, std::uint32_t crc) noexcept {
    for (std::size_t k = 0; k < kRows; ++k) rows_[k] = row(first, k);
    rows_[0] = _mm512_xor_si512(rows_[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(crc))));
  }
  void take(const std::byte* next) noexcept {
    for (std::size_t k = 0; k < kRows; ++k) rows_[k] = past<8 * kBytes>(rows_[k], row(next, k));
  }
  [[nodiscard]] std::uint32_t crc() const noexcept {
    __m512i last = rows_[0];
    for (std::size_t k = 1; k < kRows; ++k) last = past<8 * kRow>(last, rows_[k]);
    std::array<std::uint64_t, kRow / 8> eights{};
    _mm512_storeu_si512(eights.data(), last);
    std::uint64_t crc = 0;
    for (const std::uint64_t eight : eights) crc = take_eight(crc, eight);
    return static_cast<std::uint32_t>(crc);
  }

 private:
  static constexpr std::size_t kRow = 64;
  static constexpr std::size_t kRows = kBytes / kRow;

  static __m512i row(const std::byte* bytes, std::size_t k) noexcept {
    return _mm512_loadu_si512(bytes + kRow * k);
  }
  // The words moved past so many bits, and `next` where they arrive. A product of reversed polynomials lacks a bit.
  template <std::size_t Bits>
  static __m512i past(__m512i words, __m512i next) noexcept {
    constexpr std::uint64_t kLow = std::uint64_t{times_powers(1U << 31, Bits + 32)} << 1;
    constexpr std::uint64_t kHigh = std::uint64_t{times_powers(1U << 31, Bits - 32)} << 1;
    const __m512i powers = _mm512_broadcast_i32x4(_mm_set_epi64x(kHigh, kLow));
    const __m512i low = _mm512_clmulepi64_epi128(words, powers, 0x00);
    const __m512i high = _mm512_clmulepi64_epi128(words, powers, 0x11);
    return _mm512_xor_si512(_mm512_xor_si512(low, high), next);
  }

  std::array<__m512i, kRows> rows_;
};

// Bytes taken from the beginning, past which `crc` is moved.
std::size_t take_many(std::span<const std::byte> bytes, std::uint32_t& crc) noexcept {
  if (bytes.size() < Folded::kBytes) return 0;
  Folded folded(bytes.data(), crc);
  std::size_t taken = Folded::kBytes;
  for (; bytes.size() - taken >= Folded::kBytes; taken += Folded::kBytes) folded.take(bytes.data() + taken);
  crc = folded.crc();
  return taken;
}

#else

// Bytes of a lane. Of a frame of 1.2 kB five sixths lie in three of them, of a slice of points all but a word.
constexpr std::size_t kLane = 168;

// kPast[k][d]: what digit d, hexadecimal, at place k of the register becomes when a lane of zeros follows it. The
// register is linear in its bits.
constexpr std::array<std::array<std::uint32_t, 16>, 8> kPast = [] {
  std::array<std::array<std::uint32_t, 16>, 8> table{};
  for (std::uint32_t place = 0; place < 32; ++place) {
    const std::uint32_t rest = times_powers(1U << place, 8 * kLane);
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

// A chain of instructions, each of which waits three cycles for the one before (x86), takes eight bytes in three cycles.
// Three of them at a time keep the unit busy, which begins one a cycle. Bytes taken from the beginning, past which `crc`
// is moved.
std::size_t take_many(std::span<const std::byte> bytes, std::uint32_t& crc) noexcept {
  std::size_t taken = 0;
  for (; bytes.size() - taken >= 3 * kLane; taken += 3 * kLane) crc = take_lanes(bytes.subspan(taken), crc);
  return taken;
}

#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far) noexcept {
  std::uint32_t crc = ~so_far;
  bytes = bytes.subspan(take_many(bytes, crc));
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
