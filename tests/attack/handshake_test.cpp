// Handshakes that are broken off, repeated, forged or begun anew.
#include "handshake_bytes.h"
#include "stranger.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;
using secure::Refusal;

namespace {

constexpr bool kBoth[] = {true, false};

// Ends the path when `limit` bytes, or datagrams, of one side have passed; those are cut there.
struct Cut {
  bool callers = false;
  std::size_t limit = 0;
  std::size_t passed = 0;

  bool operator()(Bytes& bytes, bool from_caller, bool reliable) {
    if (from_caller != callers) return true;
    if (!reliable) return passed++ < limit;
    const std::size_t left = limit - std::min(limit, passed);
    passed += bytes.size();
    if (bytes.size() > left) bytes.resize(left);
    return !bytes.empty();
  }
};

// What each side says in a handshake: bytes of a stream, or datagrams.
std::array<std::size_t, 2> lengths(bool reliable) {
  std::array<std::size_t, 2> said{};
  Meeting meeting(reliable);
  meeting.between = [&](Bytes& bytes, bool from_caller) {
    said[from_caller ? 1 : 0] += reliable ? bytes.size() : 1;
    return true;
  };
  meeting.use_swarm_keys().dial();
  meeting.run();
  REQUIRE(meeting.met());
  return said;
}

void hang_up(Meeting& meeting) {
  meeting.there->close();
  meeting.back->close();
  meeting.run();
}

// At every `step`th place. lost: the path is, too; else the rest does not come.
void cut_everywhere(bool reliable, bool lost, std::size_t step) {
  const auto all = lengths(reliable);
  Meeting meeting(reliable);
  meeting.use_swarm_keys();
  std::size_t opened = 0;
  for (const bool callers : {true, false}) {
    for (std::size_t limit = 0; limit < all[callers ? 1 : 0]; limit += step) {
      CAPTURE(callers);
      CAPTURE(limit);
      const auto before = meeting.called.diaries.size();
      Cut cut{.callers = callers, .limit = limit};
      meeting.between = [&](Bytes& bytes, bool from_caller) { return cut(bytes, from_caller, reliable); };
      meeting.dial();
      meeting.run();
      if (lost) meeting.there->close();
      meeting.run(11'000);
      // The caller's last word is the first of the handshake that the called may miss, and the other way round.
      if (callers) CHECK(meeting.called.diaries.size() == before);
      if (!callers) CHECK(!meeting.caller.in());
      opened += meeting.called.diaries.size() - before;
      if (meeting.called.in()) meeting.called.last()->link->close();
      meeting.run();
    }
  }
  CHECK(meeting.caller.diaries.empty());
  for (const auto& diary : meeting.called.diaries) CHECK(diary->frames.empty());
  // The called says Finished last: whoever does not hear it all has proven itself all the same.
  CHECK(opened <= all[0]);
  meeting.between = nullptr;
  meeting.dial();
  meeting.run(1'000);
  CHECK(meeting.met());
}

}  // namespace

TEST_CASE("a stream that ends at any byte of the handshake: refused, no frame, and members meet after it") {
  cut_everywhere(true, true, 1);
}

TEST_CASE("a stream that hangs anywhere in the handshake: given up in time, and members meet after it") {
  cut_everywhere(true, false, 9);
}

TEST_CASE("datagrams that stop at any of the handshake: given up in time, and members meet after it") {
  cut_everywhere(false, false, 1);
}

TEST_CASE("the right identity with a wrong key: refused by what the record says, no session on either side") {
  for (const bool reliable : kBoth) {
    for (const bool callers : kBoth) {
      CAPTURE(reliable);
      CAPTURE(callers);
      Meeting meeting(reliable);
      secure::SwarmKeys wrong = swarm_keys();
      wrong.current.psk[31] ^= std::byte{1};
      wrong.previous.reset();
      meeting.use(callers ? wrong : swarm_keys(), callers ? swarm_keys() : wrong).dial();
      meeting.run(20'000);
      CHECK(meeting.caller.diaries.empty());
      CHECK(meeting.called.diaries.empty());
      CHECK(meeting.called.refusals.size() >= 1);
      if (reliable) CHECK(meeting.called.refusals == std::vector{Refusal::wrong_key});
    }
  }
}

TEST_CASE("a recorded handshake said again to the same member: refused, no session") {
  for (const bool reliable : kBoth) {
    CAPTURE(reliable);
    Meeting meeting(reliable);
    std::vector<Bytes> recorded;
    meeting.between = [&](Bytes& bytes, bool from_caller) {
      if (from_caller) recorded.push_back(bytes);
      return true;
    };
    meeting.use_swarm_keys().dial();
    meeting.run();
    REQUIRE(meeting.met());
    REQUIRE(meeting.caller.last()->link->send(frame_of(100)) == Status::ok);
    meeting.run();
    CHECK(meeting.called.last()->frames.size() == 1);
    meeting.caller.last()->link->close();
    meeting.run();
    const std::size_t sessions = meeting.called.diaries.size();
    meeting.back = std::make_unique<HandLink>(LinkTraits{meeting.mtu, reliable});
    meeting.back->user = meeting.called.gate.admit(*meeting.back, meeting.callers_address, false);
    for (const Bytes& bytes : recorded) {
      meeting.reopen();
      meeting.back->bring(bytes);
      meeting.back->settle();
    }
    meeting.clock.time = meeting.clock.time + 11'000;
    meeting.called.gate.poll();
    CHECK(meeting.called.diaries.size() == sessions);
  }
}

TEST_CASE(
    "a bit changed anywhere in the handshake: no session that both believe in, no frame, and members meet "
    "after it") {
  for (const bool reliable : kBoth) {
    CAPTURE(reliable);
    Random random(11, Purpose::data);
    Meeting meeting(reliable);
    meeting.use_swarm_keys();
    std::size_t met = 0;
    for (int k = 0; k < 200; ++k) {
      CAPTURE(k);
      std::size_t changed = 0;
      const std::uint32_t which = random.below(reliable ? 10 : 6);
      meeting.between = [&](Bytes& bytes, bool) {
        if (changed++ == which) {
          // But for the header: the version there is not looked at closely before there are keys.
          const std::size_t header = reliable ? 5 : 0;
          const std::size_t at = header + random.below(static_cast<std::uint32_t>(bytes.size() - header));
          bytes[at] ^= std::byte{1} << random.below(8);
        }
        return true;
      };
      meeting.dial();
      meeting.run(100);
      // Over datagrams a record that is broken is as one that is lost: it is said again.
      met += meeting.met() && changed > which ? 1 : 0;
      hang_up(meeting);
    }
    if (reliable) CHECK(met == 0);
    meeting.between = nullptr;
    meeting.dial();
    meeting.run(5'000);
    CHECK(meeting.met());
  }
}

TEST_CASE("a caller asks for renegotiation: refused by an alert, the session and its frames go on") {
  for (const bool reliable : kBoth) {
    CAPTURE(reliable);
    Encounter encounter(false, reliable, [](mbedtls_ssl_config& config) {
      mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    });
    encounter.run();
    REQUIRE(encounter.stranger.done);
    REQUIRE(encounter.member.in());
    static_cast<void>(mbedtls_ssl_renegotiate(&encounter.stranger.ssl));
    CHECK(!encounter.stranger.said.empty());
    const std::size_t asked = encounter.stranger.said.size();
    for (const Bytes& bytes : std::exchange(encounter.stranger.said, {})) encounter.link->bring(bytes);
    CHECK(encounter.link->sent.size() == asked);  // an alert, no hello
    for (const Bytes& bytes : encounter.link->sent) CHECK(bytes.size() < 50);
    CHECK(encounter.member.in());
    CHECK(encounter.member.gate.counts().opened == 1);
    CHECK(encounter.member.last()->link->send(frame_of(100)) == Status::ok);
  }
}

TEST_CASE(
    "whom a member calls asks for renegotiation: refused by an alert, the session and its frames go on") {
  for (const bool reliable : kBoth) {
    CAPTURE(reliable);
    Encounter encounter(true, reliable, [](mbedtls_ssl_config& config) {
      mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    });
    encounter.run();
    REQUIRE(encounter.stranger.done);
    REQUIRE(encounter.member.in());
    for (int k = 0; k < 3; ++k) {
      must(mbedtls_ssl_renegotiate(&encounter.stranger.ssl));
      CHECK(!encounter.stranger.said.empty());
      for (const Bytes& bytes : std::exchange(encounter.stranger.said, {})) encounter.link->bring(bytes);
      for (const Bytes& bytes : encounter.link->sent) CHECK(bytes.size() < 50);
      CHECK(encounter.member.in());
    }
    encounter.link->sent.clear();
    encounter.stranger.say(frame_of(100));
    for (const Bytes& bytes : std::exchange(encounter.stranger.said, {})) encounter.link->bring(bytes);
    CHECK(encounter.member.last()->frames == std::vector<Bytes>{frame_of(100)});
    CHECK(encounter.member.last()->link->send(frame_of(200)) == Status::ok);
    CHECK(encounter.member.gate.counts().opened == 1);
  }
}
