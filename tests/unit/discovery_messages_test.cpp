// Beacon, hello and the list of peers, as they travel; and which addresses are worth dialling.
#include "beacon_key.h"

#include <popsgd/c/discovery.h>
#include <popsgd/discovery/hello.h>
#include <popsgd/random.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::discovery;
using popsgd::Address;
using popsgd::v4_address;

constexpr Announcement kSaid{.swarm = 0x0102030405060708U,
                             .id = 0x1112131415161718U,
                             .tcp_port = 0x2122,
                             .udp_port = 0x3132,
                             .flags = 0x41};

std::span<const std::byte> bytes_of(const char* text) {
  return std::as_bytes(std::span(text, std::strlen(text)));
}

Address v6_address(std::initializer_list<std::uint8_t> front, std::uint8_t back, std::uint16_t port,
                   std::uint32_t scope = 0) {
  Address address{.port = port, .scope = scope};
  std::copy(front.begin(), front.end(), address.ip.begin());
  address.ip[15] = back;
  return address;
}

TEST_CASE("the tag of a swarm is the 64-bit FNV-1a of its name") {
  CHECK(swarm_tag("") == 0xCBF29CE484222325U);  // Noll's published values
  CHECK(swarm_tag("a") == 0xAF63DC4C8601EC8CU);
  CHECK(swarm_tag("foobar") == 0x85944171F73967E8U);
  CHECK(popsgd_swarm_tag("") == swarm_tag(""));
  CHECK(popsgd_swarm_tag("foobar") == swarm_tag("foobar"));
  CHECK(popsgd_swarm_tag(nullptr) == 0);
}

TEST_CASE("a beacon is 48 bytes: letters, version, flags, ports, tag, id, code, checksum") {
  const AnnouncementBytes bytes = encode_beacon(kSaid);
  const std::vector<std::uint8_t> expected{
      'P',  'S',  'G',  'B',  1,    0x41, 0x22, 0x21, 0x32, 0x31, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 0x18, 0x17,
      0x16, 0x15, 0x14, 0x13, 0x12, 0x11, 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0};
  REQUIRE(expected.size() == 44);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    CHECK(std::to_integer<int>(bytes[k]) == expected[k]);
  }
  static_assert(kAnnouncement <= 64);
  static_assert(kLongestPeers <= 512);
}

TEST_CASE("what was encoded is decoded; a beacon is no hello, nor the other way round") {
  Announcement said;
  CHECK(decode_beacon(encode_beacon(kSaid), said) == Refusal::none);
  CHECK(said == kSaid);
  said = {};
  CHECK(decode_hello(encode_hello(kSaid), said) == Refusal::none);
  CHECK(said == kSaid);
  CHECK(decode_hello(encode_beacon(kSaid), said) == Refusal::wrong_magic);
  CHECK(decode_beacon(encode_hello(kSaid), said) == Refusal::wrong_magic);
}

TEST_CASE("every single flipped bit of a beacon is noticed, and every other length") {
  const AnnouncementBytes good = encode_beacon(kSaid);
  for (std::size_t bit = 0; bit < 8 * kAnnouncement; ++bit) {
    AnnouncementBytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    Announcement said;
    const Refusal refusal = decode_beacon(bad, said);
    const Refusal expected = bit < 32   ? Refusal::wrong_magic
                             : bit < 40 ? Refusal::unknown_version
                                        : Refusal::damaged;
    CAPTURE(bit);
    CHECK(refusal == expected);
    CHECK(said == Announcement{});
  }
  std::vector<std::byte> other(good.begin(), good.end());
  other.push_back({});
  Announcement said;
  CHECK(decode_beacon(other, said) == Refusal::wrong_length);
  for (std::size_t length = 0; length < kAnnouncement; ++length)
    CHECK(decode_beacon(std::span(good).first(length), said) ==
          (length < 4 ? Refusal::wrong_magic : Refusal::wrong_length));
}

TEST_CASE("a beacon without an id or without a port is refused; a hello without a port is not") {
  Announcement said = kSaid;
  said.id = 0;
  CHECK(decode_beacon(encode_beacon(said), said) == Refusal::no_id);
  said = kSaid;
  said.tcp_port = said.udp_port = 0;
  CHECK(decode_beacon(encode_beacon(said), said) == Refusal::no_port);
  CHECK(decode_hello(encode_hello(said), said) == Refusal::none);
}

TEST_CASE(
    "a beacon with a code is version 2: the epoch at 10, at 28 the code of the 28 bytes before; a hello has "
    "none") {
  popsgd::test::BeaconKey key(0xA1B2);
  const AnnouncementBytes bytes = encode_beacon(kSaid, key);
  const AnnouncementBytes plain = encode_beacon(kSaid);
  CHECK(bytes[4] == std::byte{2});
  CHECK(bytes[10] == std::byte{0xB2});
  CHECK(bytes[11] == std::byte{0xA1});
  for (std::size_t k = 0; k < 28; ++k) CHECK((bytes[k] == plain[k] || k == 4 || k == 10 || k == 11));
  const BeaconCode code = key.code(std::span(bytes).first(28));
  for (std::size_t k = 0; k < code.size(); ++k) CHECK(std::to_integer<int>(bytes[28 + k]) == code[k]);

  Announcement said;
  REQUIRE(decode_beacon(bytes, said) == Refusal::none);
  CHECK(said.keyed);
  CHECK(proves(bytes, said, key) == Refusal::none);
  said.keyed = false;
  CHECK(said == Announcement{.swarm = kSaid.swarm,
                             .id = kSaid.id,
                             .tcp_port = kSaid.tcp_port,
                             .udp_port = kSaid.udp_port,
                             .flags = kSaid.flags,
                             .epoch = 0xA1B2,
                             .code = code});
  said.keyed = true;
  CHECK(encode_hello(said)[4] == std::byte{1});
  AnnouncementBytes hello = encode_hello(kSaid);
  hello[4] = std::byte{2};
  CHECK(decode_hello(hello, said) == Refusal::unknown_version);
}

TEST_CASE("no bit before the code, or of it, can be changed by whoever does not have the key") {
  popsgd::test::BeaconKey key(7);
  const AnnouncementBytes good = encode_beacon(kSaid, key);
  for (std::size_t bit = 0; bit < std::size_t{8} * 44; ++bit) {
    AnnouncementBytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    popsgd::test::correct_checksum(bad);  // anybody can
    Announcement said;
    Refusal refusal = decode_beacon(bad, said);
    if (refusal == Refusal::none) refusal = proves(bad, said, key);
    CAPTURE(bit);
    CHECK(refusal != Refusal::none);
  }
}

TEST_CASE("a list of peers is as long as it says, of at most 16, and every flipped bit is noticed") {
  std::vector<Endpoint> endpoints;
  for (std::uint8_t k = 0; k < 20; ++k)
    endpoints.push_back({v4_address({10, 0, 0, k}, static_cast<std::uint16_t>(1000 + k)),
                         k % 2 == 0 ? Transport::tcp : Transport::udp});
  for (const std::size_t count : {0U, 1U, 16U, 20U}) {
    PeersBytes bytes{};
    const std::size_t length = encode_peers(std::span(endpoints).first(count), bytes);
    const std::size_t sent = std::min<std::size_t>(count, 16);
    CHECK(length == 12 + 20 * sent);
    PeerList list;
    REQUIRE(decode_peers(std::span(bytes).first(length), list) == Refusal::none);
    CHECK(std::equal(list.all().begin(), list.all().end(), endpoints.begin(),
                     endpoints.begin() + static_cast<std::ptrdiff_t>(sent)));
    for (std::size_t bit = 0; bit < 8 * length; ++bit) {
      PeersBytes bad = bytes;
      bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      PeerList none;
      CHECK(decode_peers(std::span(bad).first(length), none) != Refusal::none);
      CHECK(none.size == 0);
    }
  }
}

TEST_CASE("messages of discovery are told from frames of the SDK by their letters") {
  CHECK(is_hello(encode_hello(kSaid)));
  CHECK_FALSE(is_hello(encode_beacon(kSaid)));
  CHECK(is_peers(bytes_of("PSGP")));
  CHECK_FALSE(is_peers(bytes_of("PSG")));
  CHECK_FALSE(is_hello(bytes_of("")));
  constexpr std::array<std::byte, 8> frame{std::byte{'P'},
                                           std::byte{'S'}};  // the largest offset a frame can begin with
  CHECK_FALSE(is_hello(frame));
  CHECK_FALSE(is_peers(frame));
}

TEST_CASE("both ends agree on which of two links stays: the one that the smaller id dialled") {
  CHECK(stays(1, 2, true));
  CHECK_FALSE(stays(1, 2, false));
  popsgd::Random random(1, popsgd::Purpose::user);
  for (int k = 0; k < 1000; ++k) {
    const std::uint64_t a = random.bits64(), b = random.bits64();
    CHECK(stays(a, b, true) == stays(b, a, false));
    CHECK(stays(a, b, true) != stays(a, b, false));
  }
}

TEST_CASE("no address is worth dialling that names nobody, many, or the one who dials") {
  const Address lan = v4_address({192, 168, 1, 5}, 7000);
  const Address here = v4_address({127, 0, 0, 1}, 7000);
  CHECK(worth_dialling(lan, lan) == Refusal::none);
  CHECK(worth_dialling(lan, here) == Refusal::none);
  CHECK(worth_dialling(here, here) == Refusal::none);
  CHECK(worth_dialling(here, lan) == Refusal::foreign_loopback);
  CHECK(worth_dialling(v4_address({192, 168, 1, 5}, 0), lan) == Refusal::no_port);
  CHECK(worth_dialling(v4_address({0, 0, 0, 0}, 1), lan) == Refusal::unspecified);
  CHECK(worth_dialling(v4_address({0, 1, 2, 3}, 1), lan) == Refusal::unspecified);
  CHECK(worth_dialling(v4_address({224, 0, 0, 1}, 1), lan) == Refusal::multicast);
  CHECK(worth_dialling(v4_address({239, 255, 255, 255}, 1), lan) == Refusal::multicast);
  CHECK(worth_dialling(v4_address({255, 255, 255, 255}, 1), lan) == Refusal::multicast);
  CHECK(worth_dialling(v4_address({223, 255, 255, 254}, 1), lan) == Refusal::none);
  CHECK(worth_dialling(v6_address({}, 0, 1), lan) == Refusal::unspecified);
  CHECK(worth_dialling(v6_address({}, 1, 1), lan) == Refusal::foreign_loopback);
  CHECK(worth_dialling(v6_address({}, 1, 1), here) == Refusal::none);
  CHECK(worth_dialling(v6_address({0xFF, 0x02}, 1, 1), lan) == Refusal::multicast);
  CHECK(worth_dialling(v6_address({0xFE, 0x80}, 1, 1), lan) == Refusal::foreign_scope);
  CHECK(worth_dialling(v6_address({0xFE, 0x80}, 1, 1, 2), lan) == Refusal::none);
  CHECK(worth_dialling(v6_address({0xFD}, 1, 1), lan) == Refusal::none);
}

TEST_CASE("every refusal has words of its own, and is counted by itself") {
  Refusals refusals;
  for (std::size_t k = 0; k < kRefusals; ++k) {
    const auto refusal = static_cast<Refusal>(k);
    CHECK(refusals.count(refusal) == refusal);
    CHECK(refusals.of(refusal) == (k == 0 ? 0 : 1));
    for (std::size_t other = 0; other < k; ++other) CHECK(text(refusal) != text(static_cast<Refusal>(other)));
  }
}

}  // namespace
