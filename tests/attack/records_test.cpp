// What is said within a session, said again, sent back, forged or cut short by whoever sits on the path.
#include "handshake_bytes.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;

namespace {

// Members that have met; what the caller says from then on is kept.
struct Session {
  explicit Session(bool reliable) : meeting(reliable) {
    meeting.use_swarm_keys().dial();
    meeting.run();
    REQUIRE(meeting.met());
    meeting.between = [this](Bytes& bytes, bool from_caller) {
      if (from_caller) said.push_back(bytes);
      return true;
    };
  }
  void say(std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      frames.push_back(frame_of(100, static_cast<std::uint32_t>(k)));
      CHECK(meeting.caller.last()->link->send(frames.back()) == Status::ok);
      meeting.run();
    }
  }
  [[nodiscard]] const std::vector<Bytes>& heard() { return meeting.called.last()->frames; }

  Meeting meeting;
  std::vector<Bytes> said{};
  std::vector<Bytes> frames{};
};

}  // namespace

TEST_CASE(
    "a datagram said again, at once, later or last first: dropped, each frame comes once, the session goes "
    "on") {
  Session session(false);
  session.say(100);
  for (const Bytes& bytes : session.said) session.meeting.back->bring(bytes);
  for (auto bytes = session.said.rbegin(); bytes != session.said.rend(); ++bytes)
    session.meeting.back->bring(*bytes);
  CHECK(session.heard() == session.frames);
  session.say(1);
  CHECK(session.heard() == session.frames);
  CHECK(session.meeting.met());
}

TEST_CASE("a datagram that was overtaken by more than 64 others, replay or not: dropped") {
  Session session(false);
  Bytes late;
  const auto all = session.meeting.between;
  session.meeting.between = [&](Bytes& bytes, bool) {
    late = bytes;
    return false;
  };
  CHECK(session.meeting.caller.last()->link->send(frame_of(50)) == Status::ok);
  session.meeting.run();
  session.meeting.between = all;
  session.say(70);
  session.meeting.back->bring(late);
  CHECK(session.heard() == session.frames);
}

TEST_CASE("a record said again on a stream: the session ends, no frame comes twice") {
  Session session(true);
  session.say(5);
  session.meeting.back->bring(session.said.back());
  session.meeting.run();
  CHECK(session.heard() == session.frames);
  CHECK(session.meeting.called.last()->closings == 1);
}

TEST_CASE("a record sent back to who said it: no frame; a stream ends, datagrams go on") {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Session session(reliable);
    session.say(1);
    session.meeting.there->bring(session.said.back());
    session.meeting.run();
    CHECK(session.meeting.caller.last()->frames.empty());
    CHECK(session.meeting.met() == !reliable);
  }
}

TEST_CASE("a record of one session in another of the same members: no frame") {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    Session session(reliable);
    session.say(1);
    session.meeting.caller.last()->link->close();
    session.meeting.run();
    const Bytes old = session.said.front();
    session.meeting.dial();
    session.meeting.run();
    REQUIRE(session.meeting.met());
    session.meeting.back->bring(old);
    session.meeting.run();
    CHECK(session.heard().empty());
    CHECK(session.meeting.met() == !reliable);
  }
}

TEST_CASE("a goodbye or an alert in the clear over datagrams: ignored, the session goes on") {
  Session session(false);
  for (const std::size_t description : {0U, 20U, 40U, 90U, 100U}) {
    for (const std::size_t level : {1U, 2U}) {
      for (const std::size_t epoch : {0U, 1U}) {
        Bytes forged(15);
        put_at(forged, 0, 1, Kind::alert);
        put_at(forged, 1, 2, 0xFEFD);
        put_at(forged, 3, 2, epoch);
        put_at(forged, 5, 6, 1000U + description);
        put_at(forged, 11, 2, 2);
        put_at(forged, 13, 1, level);
        put_at(forged, 14, 1, description);
        session.meeting.back->bring(forged);
        session.meeting.there->bring(forged);
      }
    }
  }
  session.say(3);
  CHECK(session.heard() == session.frames);
  CHECK(session.meeting.met());
}

TEST_CASE("forged records over datagrams: 60,000 are dropped and the session goes on; 2^16 end it") {
  Session session(false);
  session.say(1);
  Bytes forged = session.said.back();
  const auto forge = [&](std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      put_at(forged, 5, 6, 10 + k);
      session.meeting.back->bring(forged);
    }
  };
  forge(60'000);
  session.say(1);
  CHECK(session.heard() == session.frames);
  CHECK(session.meeting.met());
  forge(6'000);
  session.meeting.run();
  CHECK(session.heard() == session.frames);
  CHECK(session.meeting.called.last()->closings == 1);
}

TEST_CASE("noise over datagrams, before a record or behind it: dropped, the session goes on") {
  Session session(false);
  Random random(13, Purpose::data);
  for (int k = 0; k < 3000; ++k) {
    Bytes noise(1 + random.below(60));
    for (std::byte& byte : noise) byte = static_cast<std::byte>(random.below(256));
    // As if it were a record of the session, or of none.
    if (k % 2 == 0 && noise.size() > 13) {
      put_at(noise, 0, 5, std::size_t{20 + random.below(5)} << 32 | 0xFEFD0000U | random.below(3));
      if (k % 4 == 0) put_at(noise, 11, 2, noise.size() - 13);
    }
    session.meeting.back->bring(noise);
  }
  CHECK(session.heard().empty());
  const auto between = session.meeting.between;
  session.meeting.between = [&](Bytes& bytes, bool from_caller) {
    bytes.resize(bytes.size() + 1 + random.below(30), std::byte{23});
    return between(bytes, from_caller);
  };
  session.say(100);
  CHECK(session.heard() == session.frames);
  CHECK(session.meeting.met());
}

TEST_CASE("a record cut short or made longer: no frame; a stream ends or waits, datagrams go on") {
  for (const bool reliable : {true, false}) {
    CAPTURE(reliable);
    for (std::size_t size = 0; size < 140; size += 3) {
      CAPTURE(size);
      Session session(reliable);
      Bytes cut;
      session.meeting.between = [&](Bytes& bytes, bool) {
        cut = bytes;
        return false;
      };
      CHECK(session.meeting.caller.last()->link->send(frame_of(100)) == Status::ok);
      session.meeting.run();
      session.meeting.between = nullptr;
      const bool is_whole = size >= cut.size();
      cut.resize(size);
      if (!cut.empty()) session.meeting.back->bring(cut);
      session.meeting.run();
      CHECK(session.heard().size() == (is_whole ? 1 : 0));
      if (!reliable) CHECK(session.meeting.met());
    }
  }
}
