#include "numeric/crc32c.h"

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

// One load; gcc 12 makes eight of a loop over the bytes here.
std::uint64_t load(const std::byte* bytes) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t eight = 0;
  std::memcpy(&eight, bytes, sizeof(eight));
  return eight;
}

// Bytes of each of three chains that run side by side.
constexpr std::size_t kChain = 1024;
constexpr int kChainBits = 13;  // the logarithm of its bits
static_assert(std::size_t{8} * kChain == std::size_t{1} << kChainBits);

// A linear map of registers: column k is what bit k becomes.
using Map = std::array<std::uint32_t, 32>;

constexpr std::uint32_t apply(const Map& map, std::uint32_t value) {
  std::uint32_t result = 0;
  for (std::size_t k = 0; k < 32; ++k) result ^= (value >> k & 1U) != 0 ? map[k] : 0;
  return result;
}

// What a chain's worth of zeros does to a register, looked up byte by byte: one zero bit's map, squared again and again.
constexpr std::array<std::array<std::uint32_t, 256>, 4> make_after_chain() {
  Map map{0x82F63B78};
  for (std::size_t k = 1; k < 32; ++k) map[k] = 1U << (k - 1);
  for (int k = 0; k < kChainBits; ++k) {
    Map squared{};
    for (std::size_t j = 0; j < 32; ++j) squared[j] = apply(map, map[j]);
    map = squared;
  }
  std::array<std::array<std::uint32_t, 256>, 4> table{};
  for (std::uint32_t k = 0; k < 4; ++k) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) table[k][byte] = apply(map, byte << 8 * k);
  }
  return table;
}
constexpr auto kAfterChain = make_after_chain();

std::uint64_t after_chain(std::uint64_t crc) noexcept {
  return kAfterChain[0][crc & 255U] ^ kAfterChain[1][crc >> 8 & 255U] ^ kAfterChain[2][crc >> 16 & 255U] ^
         kAfterChain[3][crc >> 24 & 255U];
}

}  // namespace

// An instruction waits three cycles for the one before (x86), but one can begin in every cycle: of long spans three parts are
// summed side by side, the later two as if nothing had been before, and joined.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far) noexcept {
  std::uint64_t eights = ~so_far;
  for (; bytes.size() >= 3 * kChain; bytes = bytes.subspan(3 * kChain)) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t k = 0; k < kChain; k += 8) {
      eights = take_eight(eights, load(bytes.data() + k));
      second = take_eight(second, load(bytes.data() + kChain + k));
      third = take_eight(third, load(bytes.data() + 2 * kChain + k));
    }
    eights = after_chain(after_chain(eights) ^ second) ^ third;
  }
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    eights = take_eight(eights, load(bytes.data()));
  }
  auto crc = static_cast<std::uint32_t>(eights);
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
