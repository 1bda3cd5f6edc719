#include "codec/seal.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Purpose;
using popsgd::Random;
using popsgd::codec::kSeal;
using popsgd::codec::seal;
using popsgd::codec::unseal;

TEST_CASE("a sealed frame is opened to what it was; with one bit flipped, cut short or too short it is not") {
  constexpr std::uint64_t kSeed = 4;
  Random random(kSeed, Purpose::user);
  for (const std::size_t length : {0UL, 1UL, 60UL, 1100UL}) {
    CAPTURE(kSeed);
    CAPTURE(length);
    std::vector<std::byte> frame(length + kSeal);
    for (std::byte& byte : frame) byte = static_cast<std::byte>(random.bits());
    const std::vector<std::byte> body(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(length));
    REQUIRE(seal(frame, length) == length + kSeal);
    const auto opened = unseal(frame);
    REQUIRE(opened.has_value());
    CHECK(std::ranges::equal(*opened, body));
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
      const auto mask = static_cast<std::byte>(1U << bit % 8);
      frame[bit / 8] ^= mask;
      REQUIRE_FALSE(unseal(frame).has_value());
      frame[bit / 8] ^= mask;
    }
    for (std::size_t cut = 1; cut <= kSeal; ++cut)
      CHECK_FALSE(unseal(std::span(frame).first(frame.size() - cut)));
  }
}

}  // namespace
