// Versions, cipher suites and groups that are not spoken here: offered to a member, or chosen by whom it calls. Whoever sits on the
// path rewrites what a member says, so that nothing else about it is wrong.
#include "handshake_bytes.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;
using secure::Refusal;

namespace {

// Of RFC 5246, 7.2.
constexpr std::uint8_t kHandshakeFailure = 40;
constexpr std::uint8_t kProtocolVersion = 70;

struct Version {
  std::uint16_t tls;
  std::uint16_t dtls;
};
constexpr Version kTls10{0x0301, 0xFEFF};
constexpr Version kTls11{0x0302, 0xFEFF};  // DTLS 1.0 is TLS 1.1's; there was no other
constexpr Version kSsl3{0x0300, 0xFEFF};

// Rewrites hellos of the caller, or of whom it calls; the number that were.
using Rewrite = std::function<void(std::span<std::byte> hello, bool reliable)>;

struct Outcome {
  int rewritten = 0;
  Overheard said;  // by the called
};

Outcome meet(Meeting& meeting, bool callers, const Rewrite& rewrite) {
  Outcome outcome{.said = Overheard(meeting.reliable)};
  const Said which = callers ? Said::client_hello : Said::server_hello;
  meeting.between = [&](Bytes& bytes, bool from_caller) {
    if (!from_caller) outcome.said.note(bytes);
    const auto hello =
        from_caller == callers ? body_of(which, bytes, meeting.reliable) : std::span<std::byte>{};
    if (!hello.empty()) {
      rewrite(hello, meeting.reliable);
      ++outcome.rewritten;
    }
    return true;
  };
  meeting.dial();
  meeting.run(20'000);
  meeting.between = nullptr;
  return outcome;
}

void no_session(Meeting& meeting) {
  CHECK(meeting.caller.diaries.empty());
  CHECK(meeting.called.diaries.empty());
  CHECK(meeting.caller.refusals.size() == 1);
}

void then_members_meet(Meeting& meeting) {
  meeting.dial();
  meeting.run(5'000);
  CHECK(meeting.met());
}

// The called answers by the alert, over a stream; over datagrams what is wrong may be seen before or behind the cookie.
void refused_when_offered(const Rewrite& rewrite, std::uint8_t alert) {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Meeting meeting(reliable);
    meeting.use_swarm_keys();
    const Outcome outcome = meet(meeting, true, rewrite);
    CHECK(outcome.rewritten >= 1);
    no_session(meeting);
    CHECK_FALSE(outcome.said.has(Kind::change_cipher_spec));
    REQUIRE(!outcome.said.alerts.empty());
    CHECK(outcome.said.alerts[0] == alert);
    if (reliable) CHECK(outcome.said.kinds == std::vector<std::uint8_t>{Kind::alert});
    if (reliable) CHECK(meeting.called.refusals == std::vector{Refusal::not_our_suite});
    then_members_meet(meeting);
  }
}

void refused_when_chosen(const Rewrite& rewrite) {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Meeting meeting(reliable);
    meeting.use_swarm_keys();
    const Outcome outcome = meet(meeting, false, rewrite);
    CHECK(outcome.rewritten >= 1);
    no_session(meeting);
    CHECK_FALSE(outcome.said.has(Kind::change_cipher_spec));
    then_members_meet(meeting);
  }
}

Rewrite version(Version to) {
  return
      [to](std::span<std::byte> hello, bool reliable) { put_at(hello, 0, 2, reliable ? to.tls : to.dtls); };
}
// The first suite of those offered is ours, the second says that there is no renegotiation (RFC 5746, 3.3).
Rewrite offer(std::uint16_t suite) {
  return [suite](std::span<std::byte> hello, bool reliable) {
    const std::size_t at = suites_in(hello, true, reliable);
    REQUIRE(number_at(hello, at - 2, 2) == 4);
    REQUIRE(number_at(hello, at, 2) == 0xCCAC);
    put_at(hello, at, 2, suite);
  };
}
Rewrite choose(std::uint16_t suite) {
  return [suite](std::span<std::byte> hello, bool reliable) {
    const std::size_t at = suites_in(hello, false, reliable);
    REQUIRE(number_at(hello, at, 2) == 0xCCAC);
    put_at(hello, at, 2, suite);
  };
}

// Of the registry of RFC 8447: what the swarm does not speak.
constexpr std::uint16_t kEcdhePskCbc = 0xC037;         // TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256
constexpr std::uint16_t kPskCbc = 0x00AE;              // TLS_PSK_WITH_AES_128_CBC_SHA256
constexpr std::uint16_t kEcdhePskNull = 0xC03A;        // TLS_ECDHE_PSK_WITH_NULL_SHA256
constexpr std::uint16_t kPskNull = 0x00B0;             // TLS_PSK_WITH_NULL_SHA256
constexpr std::uint16_t kNullNull = 0x0000;            // TLS_NULL_WITH_NULL_NULL
constexpr std::uint16_t kRsaGcm = 0x009C;              // TLS_RSA_WITH_AES_128_GCM_SHA256
constexpr std::uint16_t kRsaCbc = 0x002F;              // TLS_RSA_WITH_AES_128_CBC_SHA
constexpr std::uint16_t kRsaPsk = 0xCCAE;              // TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256
constexpr std::uint16_t kPskWithoutExchange = 0xCCAB;  // TLS_PSK_WITH_CHACHA20_POLY1305_SHA256
constexpr std::uint16_t kAnonymous = 0xC018;           // TLS_ECDH_anon_WITH_AES_128_CBC_SHA
constexpr std::uint16_t kExport = 0x0003;              // TLS_RSA_EXPORT_WITH_RC4_40_MD5

}  // namespace

TEST_CASE("TLS 1.0 or 1.1 offered: refused by protocol_version, no session") {
  refused_when_offered(version(kTls10), kProtocolVersion);
  refused_when_offered(version(kTls11), kProtocolVersion);
}

TEST_CASE("SSL 3 offered: refused by protocol_version, no session") {
  refused_when_offered(version(kSsl3), kProtocolVersion);
}

TEST_CASE("TLS 1.0 or 1.1 chosen by whom a member calls: it ends the handshake, no session") {
  refused_when_chosen(version(kTls10));
  refused_when_chosen(version(kTls11));
}

TEST_CASE("CBC offered alone: refused by handshake_failure, no session") {
  refused_when_offered(offer(kEcdhePskCbc), kHandshakeFailure);
  refused_when_offered(offer(kPskCbc), kHandshakeFailure);
}

TEST_CASE("NULL encryption offered alone: refused by handshake_failure, no session") {
  refused_when_offered(offer(kEcdhePskNull), kHandshakeFailure);
  refused_when_offered(offer(kPskNull), kHandshakeFailure);
  refused_when_offered(offer(kNullNull), kHandshakeFailure);
}

TEST_CASE("RSA key exchange offered alone: refused by handshake_failure, no session") {
  refused_when_offered(offer(kRsaGcm), kHandshakeFailure);
  refused_when_offered(offer(kRsaCbc), kHandshakeFailure);
  refused_when_offered(offer(kRsaPsk), kHandshakeFailure);
}

TEST_CASE(
    "no key exchange, anonymous or export suites offered alone: refused by handshake_failure, no session") {
  for (const std::uint16_t suite : {kPskWithoutExchange, kAnonymous, kExport})
    refused_when_offered(offer(suite), kHandshakeFailure);
}

TEST_CASE(
    "CBC, NULL, RSA or no key exchange chosen by whom a member calls: it ends the handshake, no session") {
  for (const std::uint16_t suite :
       {kEcdhePskCbc, kPskCbc, kEcdhePskNull, kPskNull, kNullNull, kRsaGcm, kRsaPsk, kPskWithoutExchange})
    refused_when_chosen(choose(suite));
}

TEST_CASE(
    "another group, or a point of small order, in the key exchange: it ends the handshake, no session") {
  // ECParameters: type 3 (named), group; then the point's length and the point (RFC 8422, 5.4).
  const auto rewrites = {
      std::function([](std::span<std::byte> exchange) { put_at(exchange, 3, 2, 23); }),  // secp256r1
      std::function(
          [](std::span<std::byte> exchange) { std::ranges::fill(exchange.subspan(6, 32), std::byte{0}); }),
  };
  for (const auto& rewrite : rewrites) {
    for (const bool reliable : {true, false}) {
      CAPTURE(reliable);
      Meeting meeting(reliable);
      meeting.use_swarm_keys();
      int rewritten = 0;
      meeting.between = [&](Bytes& bytes, bool from_caller) {
        // psk_identity_hint<0..2^16-1> comes first: RFC 5489, 2.
        auto exchange =
            from_caller ? std::span<std::byte>{} : body_of(Said::server_key_exchange, bytes, reliable);
        if (exchange.empty()) return true;
        exchange = exchange.subspan(number_at(exchange, 0, 2));
        REQUIRE(octet(exchange[2]) == 3);
        REQUIRE(number_at(exchange, 3, 2) == 29);  // x25519
        REQUIRE(octet(exchange[5]) == 32);
        rewrite(exchange);
        ++rewritten;
        return true;
      };
      meeting.dial();
      meeting.run(20'000);
      meeting.between = nullptr;
      CHECK(rewritten >= 1);
      no_session(meeting);
      then_members_meet(meeting);
    }
  }
}
