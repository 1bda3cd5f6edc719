#include <popsgd/secure/key_schedule.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::secure;

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Bytes from_hex(const std::string& hex) {
  Bytes bytes(hex.size() / 2);
  for (std::size_t k = 0; k < bytes.size(); ++k)
    bytes[k] = static_cast<std::byte>(std::stoi(hex.substr(2 * k, 2), nullptr, 16));
  return bytes;
}

// HMAC fills a short key up with zeros (RFC 2104, 2).
Key key_of(const Bytes& bytes) {
  Key key{};
  std::ranges::copy(bytes, key.begin());
  return key;
}

Bytes hmac(const Key& key, const Bytes& message) {
  Bytes result(32);
  REQUIRE(tag(key, message, result) == Status::ok);
  return result;
}

// RFC 5869, by its text.
Bytes hkdf(const Bytes& salt, const Bytes& secret, const Bytes& info, std::size_t length) {
  const Key extracted = key_of(hmac(key_of(salt), secret));
  Bytes all;
  Bytes block;
  for (unsigned number = 1; all.size() < length; ++number) {
    block.insert(block.end(), info.begin(), info.end());
    block.push_back(static_cast<std::byte>(number));
    block = hmac(extracted, block);
    all.insert(all.end(), block.begin(), block.end());
  }
  all.resize(length);
  return all;
}

Key ascending_key() {
  Key key{};
  for (std::size_t k = 0; k < key.size(); ++k) key[k] = static_cast<std::byte>(k);
  return key;
}

Bytes info_of(std::string_view label, std::uint32_t epoch) {
  Bytes info = bytes_of(label);
  for (int shift = 24; shift >= 0; shift -= 8) info.push_back(static_cast<std::byte>(epoch >> shift));
  return info;
}

EpochKeys derived(const Key& swarm_key, std::uint32_t epoch) {
  EpochKeys keys;
  REQUIRE(derive(swarm_key, epoch, keys) == Status::ok);
  return keys;
}

}  // namespace

TEST_CASE("tags are HMAC-SHA256: the examples of RFC 4231, 4.2 to 4.6") {
  const auto of = [](const std::string& key, const Bytes& data) { return hmac(key_of(from_hex(key)), data); };
  CHECK(of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", bytes_of("Hi There")) ==
        from_hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
  CHECK(of("4a656665", bytes_of("what do ya want for nothing?")) ==
        from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  CHECK(of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Bytes(50, std::byte{0xdd})) ==
        from_hex("773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"));
  Bytes truncated(16);
  REQUIRE(tag(key_of(from_hex("0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c")), bytes_of("Test With Truncation"),
              truncated) == Status::ok);
  CHECK(truncated == from_hex("a3b6167473100ee06e0c796c2955552b"));
}

TEST_CASE("the test's own HKDF has the examples of RFC 5869, A.1 and A.3") {
  const Bytes secret(22, std::byte{0x0b});
  CHECK(hkdf(from_hex("000102030405060708090a0b0c"), secret, from_hex("f0f1f2f3f4f5f6f7f8f9"), 42) ==
        from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
  CHECK(hkdf({}, secret, {}, 42) ==
        from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
}

TEST_CASE("the keys of an epoch are HKDF's of the swarm key, by what the header says") {
  const Key swarm_key = ascending_key();
  const Bytes secret(swarm_key.begin(), swarm_key.end());
  const Bytes salt = bytes_of("popsgd swarm key 1");
  for (const std::uint32_t epoch : {0U, 1U, 0x01020304U, 0xFFFFFFFFU}) {
    const EpochKeys keys = derived(swarm_key, epoch);
    CHECK(keys.epoch == epoch);
    CHECK(key_of(hkdf(salt, secret, info_of("tls psk", epoch), 32)) == keys.psk);
    CHECK(key_of(hkdf(salt, secret, info_of("beacon", epoch), 32)) == keys.beacon);
    CHECK(hkdf(salt, secret, info_of("identity", epoch), 8) ==
          from_hex({keys.identity.begin(), keys.identity.end()}));
  }
}

TEST_CASE("the keys of an epoch are what other programs derive: computed by Python's hmac") {
  const EpochKeys keys = derived(ascending_key(), 0x01020304);
  CHECK(std::string_view(keys.identity.data(), keys.identity.size()) == "30354c1288e3c92e");
  CHECK(keys.psk == key_of(from_hex("06582cf460c3d45ba8c0b99242599abe6dfdf74125b10976b51db6825eb5a400")));
  CHECK(keys.beacon == key_of(from_hex("19a9e9751b36cc0e959f1b20e7c7e7ee0447a610bdfc999a50af31d4194ece53")));
}

TEST_CASE("another epoch or another swarm key has nothing in common") {
  const EpochKeys keys = derived(ascending_key(), 7);
  Key other_key = ascending_key();
  other_key[31] ^= std::byte{1};
  for (const EpochKeys& other : {derived(ascending_key(), 8), derived(other_key, 7)}) {
    CHECK(other.identity != keys.identity);
    CHECK(other.psk != keys.psk);
    CHECK(other.beacon != keys.beacon);
  }
  CHECK(keys.psk != keys.beacon);
}

TEST_CASE(
    "a tag is refused when a bit of it, of the message or of the key is another, and when it is too short") {
  const Key key = ascending_key();
  const Bytes message = bytes_of("here I am");
  Bytes right(12);
  REQUIRE(tag(key, message, right) == Status::ok);
  CHECK(verify(key, message, right));
  for (std::size_t bit = 0; bit < 8 * right.size(); ++bit) {
    Bytes wrong = right;
    wrong[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    CHECK_FALSE(verify(key, message, wrong));
  }
  Key other = key;
  other[0] ^= std::byte{128};
  CHECK_FALSE(verify(other, message, right));
  CHECK_FALSE(verify(key, bytes_of("here I an"), right));
  CHECK_FALSE(verify(key, message, std::span(right).first(7)));
  CHECK_FALSE(verify(key, message, {}));
}

TEST_CASE("what is forgotten is zero") {
  Key key = ascending_key();
  forget(key);
  CHECK(key == Key{});
}
