#include <popsgd/random.h>
#include <popsgd/serial/cobs.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::serial;

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

// first, first + 1, ... last, between two pieces
Bytes run(std::initializer_list<int> before, int first, int last, std::initializer_list<int> after = {}) {
  Bytes result = bytes(before);
  for (int value = first; value <= last; ++value) result.push_back(static_cast<std::byte>(value));
  for (const int value : after) result.push_back(static_cast<std::byte>(value));
  return result;
}

Bytes encoded(const Bytes& data) {
  Bytes out(max_encoded_size(data.size()));
  out.resize(cobs_encode(data, out));
  return out;
}

std::pair<bool, Bytes> decoded(Bytes data) {
  const auto size = cobs_decode(data);
  data.resize(size.value_or(0));
  return {size.has_value(), data};
}

}  // namespace

TEST_CASE("the encoding is that of the published examples") {
  // Wikipedia, "Consistent Overhead Byte Stuffing", encoding examples 1 to 11, without the delimiter
  const std::vector<std::pair<Bytes, Bytes>> examples{
      {bytes({0}), bytes({1, 1})},
      {bytes({0, 0}), bytes({1, 1, 1})},
      {bytes({0, 0x11, 0}), bytes({1, 2, 0x11, 1})},
      {bytes({0x11, 0x22, 0, 0x33}), bytes({3, 0x11, 0x22, 2, 0x33})},
      {bytes({0x11, 0x22, 0x33, 0x44}), bytes({5, 0x11, 0x22, 0x33, 0x44})},
      {bytes({0x11, 0, 0, 0}), bytes({2, 0x11, 1, 1, 1})},
      {run({}, 0x01, 0xFE), run({0xFF}, 0x01, 0xFE)},
      {run({0}, 0x01, 0xFE), run({1, 0xFF}, 0x01, 0xFE)},
      {run({}, 0x01, 0xFF), run({0xFF}, 0x01, 0xFE, {2, 0xFF})},
      {run({}, 0x02, 0xFF, {0}), run({0xFF}, 0x02, 0xFF, {1, 1})},
      {run({}, 0x03, 0xFF, {0, 1}), run({0xFE}, 0x03, 0xFF, {2, 1})},
  };
  for (const auto& [plain, stuffed] : examples) {
    CHECK(encoded(plain) == stuffed);
    CHECK(decoded(stuffed) == std::pair{true, plain});
  }
  // Cheshire and Baker 1999, figure 3: the start of an IP packet
  CHECK(encoded(bytes({0x45, 0, 0, 0x2C, 0x4C, 0x79, 0, 0, 0x40, 6, 0x4F, 0x37})) ==
        bytes({2, 0x45, 1, 4, 0x2C, 0x4C, 0x79, 1, 5, 0x40, 6, 0x4F, 0x37}));
}

TEST_CASE("whatever is encoded has no 0, is no longer than stated, and comes back") {
  Random random(1, Purpose::user);
  for (int k = 0; k < 3000; ++k) {
    Bytes data(random.bits() % 1200);
    const std::uint32_t zeros = random.bits() % 3;  // none, few, many
    for (std::byte& byte : data) {
      const bool zero = zeros > 0 && random.bits() % (zeros == 1 ? 200 : 2) == 0;
      byte = zero ? std::byte{0} : static_cast<std::byte>(1 + random.bits() % 255);
    }
    const Bytes stuffed = encoded(data);
    CHECK(std::ranges::count(stuffed, std::byte{0}) == 0);
    CHECK(stuffed.size() <= max_encoded_size(data.size()));
    CHECK(decoded(stuffed) == std::pair{true, data});
  }
}

TEST_CASE("the encoding of pieces is that of the whole") {
  const Bytes data = run({0, 0}, 0x01, 0xFF, {0, 7});
  for (std::size_t cut = 0; cut <= data.size(); ++cut) {
    Bytes out(max_encoded_size(data.size()));
    CobsEncoder encoder(out);
    encoder.add(std::span(data).first(cut));
    encoder.add(std::span(data).subspan(cut));
    out.resize(encoder.finish());
    CHECK(out == encoded(data));
  }
}

TEST_CASE("what no encoder writes is refused") {
  for (const Bytes& bad : {bytes({}), bytes({0}), bytes({2}), bytes({3, 1}), bytes({2, 0}), bytes({1, 0, 1})})
    CHECK_FALSE(decoded(bad).first);
}
