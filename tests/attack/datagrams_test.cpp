// Over datagrams anybody can say to be anywhere, and handshake messages come in pieces: RFC 6347, 4.2.1 and 4.2.3.
#include "handshake_bytes.h"
#include "stranger.h"

#include <optional>

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;
using secure::Refusal;

namespace {

// A member, and whoever sends a datagram to it that says to be from `from`; the answers.
std::vector<Bytes> say(Guarded& member, const Address& from, std::span<const std::byte> bytes) {
  HandLink link({1200, false});
  link.user = member.gate.admit(link, from, false);
  link.bring(bytes);
  if (!link.over) link.close();
  link.settle();
  return link.sent;
}

struct Called {
  Called() : member(clock, 2) {
    if (member.context.use(swarm_keys()) != Status::ok) std::abort();
  }
  HandClock clock{};
  Guarded member;
};

Bytes hello() {
  Stranger caller(true, false, swarm_keys().current);
  caller.turn();
  return caller.said.at(0);
}

// The second hello, with the cookie that the first was answered by.
Bytes hello_with_cookie(Guarded& member, const Address& from) {
  Stranger caller(true, false, swarm_keys().current);
  caller.turn();
  const auto answers = say(member, from, caller.said.at(0));
  REQUIRE(answers.size() == 1);
  caller.heard.push_back(answers[0]);
  caller.turn();
  REQUIRE(caller.said.size() == 2);
  return caller.said[1];
}

constexpr Address kHere = v4_address({10, 0, 0, 7}, 700);

}  // namespace

TEST_CASE(
    "a hello without cookie from a spoofed source: answered by fewer bytes, nothing else is spent on it") {
  Called called;
  const Bytes said = hello();
  const auto answers = say(called.member, kHere, said);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].size() <= said.size());
  CHECK(called.member.gate.counts().greeted == 1);
  CHECK(called.member.refusals.empty());
  CHECK(called.member.diaries.empty());
}

TEST_CASE("a hello with the cookie of another address or port: asked again, no session begins") {
  Called called;
  const Bytes said = hello_with_cookie(called.member, kHere);
  for (const Address& elsewhere : {v4_address({10, 0, 0, 8}, 700), v4_address({10, 0, 0, 7}, 701)}) {
    const auto answers = say(called.member, elsewhere, said);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].size() <= said.size());
    CHECK(octet(answers[0].at(13)) == 3);  // hello_verify_request
  }
  CHECK(called.member.gate.counts().greeted == 3);
  // While from where it was given, it begins a handshake: the same bytes.
  CHECK(say(called.member, kHere, said).size() >= 1);
  CHECK(called.member.gate.counts().greeted == 3);
}

TEST_CASE("a cookie that is changed, empty or too long: asked again or ignored, no session begins") {
  Called called;
  const Bytes said = hello_with_cookie(called.member, kHere);
  const std::size_t cookie = 13 + 12 + 2 + 32 + 1 + octet(said.at(13 + 12 + 2 + 32));
  REQUIRE(octet(said.at(cookie)) == 32);
  const auto greeted = called.member.gate.counts().greeted;
  for (std::size_t k = 1; k <= 32; ++k) {
    Bytes changed = said;
    changed[cookie + k] ^= std::byte{0x80};
    const auto answers = say(called.member, kHere, changed);
    CHECK(answers.size() <= 1);
    for (const Bytes& answer : answers) CHECK(octet(answer.at(13)) == 3);
  }
  CHECK(called.member.gate.counts().greeted == greeted + 32);
  for (const int length : {0, 31, 33, 255}) {
    Bytes changed = said;
    put_at(changed, cookie, 1, static_cast<std::size_t>(length));
    for (const Bytes& answer : say(called.member, kHere, changed)) CHECK(answer.size() <= 100);
  }
  CHECK(called.member.diaries.empty());
}

TEST_CASE(
    "any datagram of a stranger, cut anywhere or changed anywhere: at most one short answer, no session, no "
    "refusal") {
  Called called;
  const Bytes said = hello();
  for (std::size_t size = 1; size < said.size(); ++size) {
    const auto answers = say(called.member, kHere, std::span(said).first(size));
    CHECK(answers.size() <= 1);
  }
  Random random(5, Purpose::data);
  for (int k = 0; k < 5000; ++k) {
    CAPTURE(k);
    Bytes changed = said;
    for (std::uint32_t n = 1 + random.below(3); n-- > 0;)
      changed[random.below(static_cast<std::uint32_t>(said.size()))] =
          static_cast<std::byte>(random.below(256));
    const auto answers = say(called.member, kHere, changed);
    CHECK(answers.size() <= 1);
    for (const Bytes& answer : answers) CHECK(answer.size() <= said.size());
  }
  CHECK(called.member.diaries.empty());
  CHECK(called.member.refusals.empty());
}

TEST_CASE("a hello that says to be from a member's address, with a cookie or without: the session goes on") {
  Meeting meeting(false);
  meeting.use_swarm_keys().dial();
  meeting.run();
  REQUIRE(meeting.met());
  const Bytes spoofed = hello();
  meeting.between = [](Bytes&, bool from_caller) { return from_caller; };  // it does not hear the answers
  for (int k = 0; k < 100; ++k) meeting.back->bring(spoofed);
  meeting.back->bring(hello_with_cookie(meeting.called, kHere));  // the cookie of another
  meeting.run();
  meeting.between = nullptr;
  CHECK(meeting.met());
  CHECK(meeting.caller.last()->link->send(frame_of(100)) == Status::ok);
  CHECK(meeting.called.last()->link->send(frame_of(200)) == Status::ok);
  meeting.run();
  CHECK(meeting.called.last()->frames == std::vector<Bytes>{frame_of(100)});
  CHECK(meeting.caller.last()->frames == std::vector<Bytes>{frame_of(200)});
}

// --- pieces

namespace {

// A piece of a handshake message, as it says of itself.
struct Piece {
  std::size_t offset;
  std::size_t length;
  std::optional<std::size_t> total{};  ///< of the message; none: the truth
};
using Pieces = std::vector<Piece>;

constexpr std::size_t kHeader = 13;
constexpr std::size_t kMessage = 12;

Bytes piece_of(const Bytes& record, const Piece& piece, std::size_t number) {
  const std::size_t body = kHeader + kMessage;
  Bytes bytes(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(body));
  const std::size_t all = record.size() - body;
  for (std::size_t k = piece.offset; k < piece.offset + piece.length; ++k)
    bytes.push_back(k < all ? record[body + k] : std::byte{0x55});
  put_at(bytes, 5, 6, number_at(record, 5, 6) + number);
  put_at(bytes, 11, 2, kMessage + piece.length);
  put_at(bytes, 14, 3, piece.total.value_or(all));
  put_at(bytes, 19, 3, piece.offset);
  put_at(bytes, 22, 3, piece.length);
  return bytes;
}

constexpr std::size_t kNumbers =
    8;  // of records, from one of the caller's to the next: pieces take those between

// The caller's records carry numbers that leave room for the pieces of its key exchange, which takes their place.
bool meet_in_pieces(Meeting& meeting, const std::function<Pieces(std::size_t all)>& cut) {
  int cuts = 0;
  meeting.between = [&](Bytes& bytes, bool from_caller) {
    if (!from_caller) return true;
    std::vector<Bytes> datagrams;
    for (const Record& record : records_in(bytes, false)) {
      Bytes one(record.header.begin(), record.header.end());
      one.insert(one.end(), record.content.begin(), record.content.end());
      const bool in_clear = number_at(one, 3, 2) == 0;
      if (in_clear) put_at(one, 5, 6, kNumbers * number_at(one, 5, 6));
      const bool exchange = in_clear && record.kind() == Kind::handshake &&
                            octet(record.content[0]) == Said::client_key_exchange;
      if (!exchange) {
        datagrams.push_back(std::move(one));
        continue;
      }
      ++cuts;
      std::size_t number = 0;
      for (const Piece& piece : cut(one.size() - kHeader - kMessage))
        datagrams.push_back(piece_of(one, piece, number++));
    }
    for (const Bytes& datagram : datagrams) {
      meeting.reopen();
      meeting.back->bring(datagram);
    }
    return false;
  };
  meeting.use_swarm_keys().dial();
  meeting.run(20'000);
  meeting.between = nullptr;
  CHECK(cuts >= 1);
  const bool met = meeting.met();
  if (!met) {
    CHECK(meeting.caller.diaries.empty());
    CHECK(meeting.called.diaries.empty());
    meeting.dial();
    meeting.run(5'000);
    CHECK(meeting.met());
  }
  return met;
}

}  // namespace

TEST_CASE(
    "a key exchange in pieces, in order or not, doubled or overlapping: it is put together, members meet") {
  for (const auto& cut : {
           std::function([](std::size_t all) {
             return Pieces{{0, all}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, 10}, {10, 10}, {20, all - 20}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{20, all - 20}, {10, 10}, {0, 10}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, 20}, {10, 20}, {5, all - 5}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, 20}, {0, 20}, {0, all}, {0, all}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{5, 0}, {0, all}};
           }),
       }) {
    Meeting meeting(false);
    CHECK(meet_in_pieces(meeting, cut));
  }
}

TEST_CASE("a key exchange in pieces with a gap: given up in time, no session, members meet after it") {
  for (const auto& cut : {
           std::function([](std::size_t all) {
             return Pieces{{0, 10}, {11, all - 11}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{1, all - 1}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, all - 1}};
           }),
           std::function([](std::size_t) {
             return Pieces{{0, 0}};
           }),
           std::function([](std::size_t) { return Pieces{}; }),
       }) {
    Meeting meeting(false);
    CHECK_FALSE(meet_in_pieces(meeting, cut));
    CHECK(meeting.called.refusals == std::vector{Refusal::too_slow});
  }
}

TEST_CASE(
    "pieces that lie about the message's length, or reach beyond it: no session, members meet after it") {
  for (const auto& cut : {
           std::function([](std::size_t all) {
             return Pieces{{0, 10, all}, {10, all - 10, all + 1}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, 10, 0xFFFFFF}, {10, all - 10, all}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, all, 0xFFFFFF}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, all, 20'000}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, all, all - 1}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{10, all}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0xFFFFF0, 20, all}};
           }),
           std::function([](std::size_t all) {
             return Pieces{{0, 10, 10}, {10, all - 10, all - 10}};
           }),
       }) {
    Meeting meeting(false);
    CHECK_FALSE(meet_in_pieces(meeting, cut));
  }
}
