#include "numeric/crc32c.h"

#include "slow_crc.h"

#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::numeric::crc32c_small;
using popsgd::test::slow_crc;

// Every way there is, whichever of them crc32c() takes on this machine.
constexpr std::array kWays{popsgd::numeric::crc32c, popsgd::numeric::crc32c_small,
                           popsgd::numeric::crc32c_sliced};

TEST_CASE("CRC-32C has the check value and the examples of RFC 3720, B.4, in every way") {
  for (const auto crc : kWays) {
    CHECK(crc(std::as_bytes(std::span(std::string_view("123456789"))), 0) == 0xE3069283);
    CHECK(crc({}, 0) == 0);
    CHECK(crc({}, 0xE3069283) == 0xE3069283);
    std::array<std::byte, 32> bytes{};
    CHECK(crc(bytes, 0) == 0x8A9136AA);
    bytes.fill(std::byte{0xFF});
    CHECK(crc(bytes, 0) == 0x62A8AB43);
    for (std::size_t k = 0; k < 32; ++k) bytes[k] = static_cast<std::byte>(k);
    CHECK(crc(bytes, 0) == 0x46DD794E);
    std::reverse(bytes.begin(), bytes.end());
    CHECK(crc(bytes, 0) == 0x113FDB5C);
    std::array<std::byte, 48> read_command{};  // an iSCSI SCSI Read (10) command
    for (const auto& [at, value] : {std::pair<std::size_t, int>{0, 0x01},
                                    {1, 0xC0},
                                    {16, 0x14},
                                    {22, 0x04},
                                    {27, 0x14},
                                    {31, 0x18},
                                    {32, 0x28},
                                    {40, 0x02}}) {
      read_command[at] = static_cast<std::byte>(value);
    }
    CHECK(crc(read_command, 0) == 0xD9963A56);
  }
}

TEST_CASE("CRC-32C is the definition's, of any length at any address, over any pieces, in every way") {
  constexpr std::uint64_t kSeed = 11;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  std::vector<std::byte> memory(308);
  for (std::byte& byte : memory) byte = static_cast<std::byte>(random.bits());
  for (const auto crc : kWays) {
    for (std::size_t start = 0; start < 9; ++start) {
      for (std::size_t length = 0; length < 40; ++length) {
        const auto bytes = std::span<const std::byte>(memory).subspan(start, length);
        REQUIRE(crc(bytes, 0) == slow_crc(bytes));
      }
    }
    const std::span<const std::byte> bytes(memory);
    const std::uint32_t whole = slow_crc(bytes);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
      REQUIRE(crc(bytes.subspan(cut), crc(bytes.first(cut), 0)) == whole);
  }
}

// Long inputs are taken in lanes: lengths and cuts around a multiple of any length of those up to 4 kB.
TEST_CASE("CRC-32C of long inputs is the definition's, whole or in random pieces, in every way") {
  constexpr std::uint64_t kSeed = 12;
  CAPTURE(kSeed);
  Random random(kSeed, Purpose::user);
  std::vector<std::byte> memory(4100);
  for (std::byte& byte : memory) byte = static_cast<std::byte>(random.bits());
  const std::span<const std::byte> bytes(memory);
  std::vector<std::uint32_t> prefixes(bytes.size() + 1);
  for (std::size_t length = 1; length <= bytes.size(); ++length)
    prefixes[length] = crc32c_small(bytes.subspan(length - 1, 1), prefixes[length - 1]);
  REQUIRE(prefixes.back() == slow_crc(bytes));
  for (const auto crc : kWays) {
    for (std::size_t length = 0; length <= bytes.size(); ++length)
      REQUIRE(crc(bytes.first(length), 0) == prefixes[length]);
    for (int round = 0; round < 2000; ++round) {
      std::size_t at = 0;
      for (std::uint32_t so_far = 0; at < bytes.size();) {
        const std::size_t length = std::min<std::size_t>(random.below(1600), bytes.size() - at);
        so_far = crc(bytes.subspan(at, length), so_far);
        at += length;
        CAPTURE(at);
        REQUIRE(so_far == prefixes[at]);
      }
    }
  }
}

}  // namespace
