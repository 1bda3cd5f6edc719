// What an agent answers to a peer that keeps to the protocol badly, or not at all.
#include "scripted_peer.h"

#include <popsgd/agent.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using codec::Frame;
using codec::Kind;
using popsgd::test::kPeer;
using popsgd::test::ScriptedPeer;

constexpr PeerId kStranger{99};

AgentConfig three_blocks() {
  return ScriptedPeer::three_blocks();
}

std::uint8_t code(Ending ending) {
  return static_cast<std::uint8_t>(ending);
}

// --- offers

TEST_CASE(
    "a responder's chunks follow its ACCEPT at once over a stream, and over datagrams when it was heard") {
  for (const bool stream : {true, false}) {
    CAPTURE(stream);
    ScriptedPeer peer(ScriptedPeer::three_blocks());
    static_cast<void>(peer.device.agent.add_peer(kPeer, {.mtu = 256, .reliable = stream}));
    peer.tell(peer.offer(1000));
    const auto frames = peer.hear();
    REQUIRE(frames.size() == (stream ? 3 : 1));
    CHECK(frames[0].kind == Kind::accept);
    for (std::size_t k = 1; k < frames.size(); ++k) CHECK(frames[k].kind == Kind::state);
    CHECK(peer.wait() > 0);
    peer.name = name_of(1000, frames[0].handshake.nonce);
    const std::uint16_t block = first_block(peer.name, 3);
    peer.tell_block(block);
    CHECK(peer.hear(Kind::ready) == 1);
  }
}

// No time-out asks for an acknowledgement: the partner's window is what they keep open.
TEST_CASE("over a stream an acknowledgement is due after half a window of chunks, and not before") {
  AgentConfig config = ScriptedPeer::three_blocks();
  config.block_length = 0;
  ScriptedPeer peer(config, 500);
  static_cast<void>(peer.device.agent.add_peer(kPeer, {.mtu = 256, .reliable = true}));
  peer.begin_as_initiator();  // which has a window of 4
  static_cast<void>(peer.hear());
  peer.tell(peer.chunk(0, 0));
  peer.now = peer.now + config.timing.least_timeout;
  CHECK(peer.hear().empty());
  CHECK(peer.wait() > 0);
  peer.tell(peer.chunk(0, 1));
  CHECK(peer.hear(Kind::ack) == 1);
}

TEST_CASE("an offer that comes again gets the same answer until the agent knows that it was heard") {
  ScriptedPeer peer(three_blocks());
  peer.tell(peer.offer(1));
  const auto first = peer.hear();
  REQUIRE(first.size() == 1);
  REQUIRE(first[0].kind == Kind::accept);
  peer.tell(peer.offer(1));
  const auto second = peer.hear();
  REQUIRE(second.size() == 1);
  CHECK(second[0].handshake.nonce == first[0].handshake.nonce);
  CHECK(peer.metrics().begun == 1);

  peer.name = name_of(1, first[0].handshake.nonce);
  peer.tell(peer.chunk(peer.block(0), 0));
  static_cast<void>(peer.hear());
  CHECK(peer.drops(Drop::duplicate, peer.offer(1)) == 1);
  CHECK(peer.hear(Kind::accept) == 0);
}

TEST_CASE("an offer of another version, swarm or model is rejected, and says why") {
  const auto rejected = [](auto change) {
    ScriptedPeer peer(three_blocks());
    Frame offer = peer.offer(1);
    change(offer.handshake);
    CHECK(peer.drops(Drop::incompatible, offer) == 1);
    const auto answers = peer.hear();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].kind == Kind::reject);
    CHECK(answers[0].exchange == 1);
    CHECK_FALSE(peer.device.agent.exchanging());
    return static_cast<Rejection>(answers[0].code);
  };
  CHECK(rejected([](codec::Handshake& h) { ++h.version; }) == Rejection::version);
  CHECK(rejected([](codec::Handshake& h) { ++h.fingerprint; }) == Rejection::fingerprint);
  CHECK(rejected([](codec::Handshake& h) { ++h.parameters; }) == Rejection::model);
  CHECK(rejected([](codec::Handshake& h) { ++h.layout; }) == Rejection::model);
}

TEST_CASE("an offer that goes by another name than its nonce is malformed, and so is what is no frame") {
  ScriptedPeer peer(three_blocks());
  Frame offer = peer.offer(1);
  offer.handshake.nonce = 2;
  CHECK(peer.drops(Drop::malformed, offer) == 1);
  std::array<std::uint64_t, 8> words{};
  const auto bytes = std::as_writable_bytes(std::span(words));
  peer.device.agent.receive(kPeer, bytes.first(codec::seal(bytes, 40)), peer.now);
  CHECK(peer.dropped(Drop::malformed) == 2);
  CHECK(peer.hear().empty());
}

TEST_CASE("a stranger's offer is answered as over a link that carries the least there is") {
  ScriptedPeer peer(three_blocks());
  Frame offer = peer.offer(1);
  offer.handshake.mtu = 2000;
  peer.tell(offer, kStranger);
  const auto answers = peer.hear();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].kind == Kind::accept);
  CHECK(answers[0].handshake.mtu == codec::kLeastMtu);
  CHECK(peer.last_to == kStranger);
}

TEST_CASE("an agent does not fall for its own offer: it makes another") {
  ScriptedPeer peer(three_blocks());
  const std::uint64_t nonce = peer.meet();
  CHECK(peer.drops(Drop::reflected, peer.offer(nonce)) == 1);
  const auto again = peer.hear();
  REQUIRE(again.size() == 1);
  CHECK(again[0].kind == Kind::offer);
  CHECK(again[0].exchange != nonce);
  CHECK(again[0].handshake.nonce == again[0].exchange);

  peer.tell(peer.accept(again[0].exchange, 5));
  CHECK(peer.drops(Drop::reflected, peer.offer(again[0].exchange)) == 1);
  CHECK(peer.hear(Kind::offer) == 0);
  CHECK(peer.metrics().begun == 1);
}

TEST_CASE("of two offers that cross the larger nonce's counts; a third agent is told to come back") {
  ScriptedPeer peer(three_blocks());
  const std::uint64_t nonce = peer.meet();
  CHECK(peer.drops(Drop::unexpected, peer.offer(nonce - 1)) == 1);
  CHECK(peer.hear().empty());

  peer.tell(peer.offer(nonce + 1), kStranger);
  const auto busy = peer.hear();
  REQUIRE(busy.size() == 1);
  CHECK(busy[0].kind == Kind::busy);
  CHECK(busy[0].retry_ms == Timing{}.busy);
  CHECK(peer.last_to == kStranger);

  peer.tell(peer.offer(nonce + 1));
  const auto answers = peer.hear();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].kind == Kind::accept);
}

TEST_CASE("an agent that asks others to wait for longer than a frame can say, says as long as it can") {
  AgentConfig config = three_blocks();
  config.timing.busy = 100'000;
  ScriptedPeer peer(config);
  static_cast<void>(peer.meet());
  peer.tell(peer.offer(1), kStranger);
  const auto busy = peer.hear();
  REQUIRE(busy.size() == 1);
  CHECK(busy[0].retry_ms == UINT16_MAX);
}

TEST_CASE("an offer of an exchange that is over is a duplicate") {
  ScriptedPeer peer(three_blocks());
  peer.begin_as_initiator(1000);
  peer.tell(peer.frame(Kind::abort, peer.block(0)));
  REQUIRE_FALSE(peer.device.agent.exchanging());
  CHECK(peer.drops(Drop::duplicate, peer.offer(1000)) == 1);
  CHECK(peer.hear().empty());
}

// --- answers

TEST_CASE("an ACCEPT that contradicts the offer is dropped, and the offer stands") {
  const auto refused = [](auto change) {
    ScriptedPeer peer(three_blocks());
    const std::uint64_t nonce = peer.meet();
    Frame accept = peer.accept(nonce, 5);
    change(accept.handshake);
    CHECK(peer.drops(Drop::malformed, accept) == 1);
    CHECK(peer.metrics().begun == 0);
    CHECK(peer.device.agent.exchanging());
    peer.tell(peer.accept(nonce, 5));
    return peer.metrics().begun == 1;
  };
  CHECK(refused([](codec::Handshake& h) { ++h.fingerprint; }));
  CHECK(refused([](codec::Handshake& h) { ++h.parameters; }));
  CHECK(refused([](codec::Handshake& h) { ++h.version; }));
  CHECK(refused([](codec::Handshake& h) { ++h.layout; }));
  CHECK(refused([](codec::Handshake& h) { ++h.block_length; }));
  CHECK(refused([](codec::Handshake& h) { ++h.mtu; }));
  CHECK(refused([](codec::Handshake& h) { h.window = AgentConfig{}.window + 1; }));
}

TEST_CASE("an ACCEPT that nobody waits for is a duplicate, or gets an ABORT") {
  ScriptedPeer peer(three_blocks());
  peer.begin_as_responder(2000);
  static_cast<void>(peer.hear());
  CHECK(peer.drops(Drop::duplicate, peer.accept(peer.offered, 2000)) == 1);
  CHECK(peer.hear().empty());

  const auto stray = [&](const Frame& accept, PeerId from) {
    CHECK(peer.drops(Drop::unknown, accept, from) == 1);
    const auto answers = peer.hear();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].kind == Kind::abort);
    CHECK(answers[0].code == code(Ending::unknown));
    CHECK(answers[0].exchange == name_of(accept.exchange, accept.handshake.nonce));
    CHECK(answers[0].block == first_block(answers[0].exchange, 3));
    CHECK(peer.last_to == from);
  };
  stray(peer.accept(peer.offered, 2001), kPeer);  // the peer has answered twice
  stray(peer.accept(4, 5), kStranger);

  peer.tell(peer.frame(Kind::abort, peer.block(0)));
  CHECK(peer.drops(Drop::duplicate, peer.accept(peer.offered, 2000)) == 1);
  CHECK(peer.hear().empty());

  const std::uint64_t nonce = peer.meet();
  stray(peer.accept(nonce, 6), kStranger);  // it was not asked
  CHECK(peer.device.agent.exchanging());
}

TEST_CASE("a peer begins one exchange an interval: sooner, or just come, it is told how long to wait") {
  AgentConfig config = three_blocks();
  config.peer_interval = 400;
  ScriptedPeer peer(config);
  const auto answer = [&](std::uint64_t nonce, PeerId from = kPeer) {
    peer.tell(peer.offer(nonce), from);
    const auto frames = peer.hear();
    REQUIRE(frames.size() >= 1);
    if (frames[0].kind == Kind::accept) peer.device.agent.lost_peer(from, peer.now);
    return std::pair{frames[0].kind, frames[0].retry_ms};
  };
  CHECK(answer(1000) == std::pair{Kind::busy, std::uint16_t{400}});
  peer.now = peer.now + 399;
  CHECK(answer(1001) == std::pair{Kind::busy, std::uint16_t{1}});
  peer.now = peer.now + 1;
  CHECK(answer(1002).first == Kind::accept);
  // Its link is closed; whoever comes again, or under another name, has gained nothing.
  peer.now = peer.now + 20'000;
  for (const PeerId name : {kPeer, kStranger}) {
    REQUIRE(peer.device.agent.add_peer(name, {.mtu = 256}) == Status::ok);
    CHECK(answer(1003 + static_cast<std::uint64_t>(name), name) == std::pair{Kind::busy, std::uint16_t{400}});
  }
  peer.now = peer.now + 400;
  peer.tell(peer.offer(2000));
  CHECK(peer.hear().at(0).kind == Kind::accept);
}

TEST_CASE("an interval between a peer's exchanges does not keep the agent from its own") {
  AgentConfig config = three_blocks();
  config.peer_interval = 400;
  ScriptedPeer peer(config);
  for (int k = 0; k < 3; ++k) {
    const std::uint64_t mine = peer.meet();
    peer.tell(peer.accept(mine, 3000));
    CHECK(peer.device.agent.exchanging());
    peer.device.agent.lost_peer(kPeer, peer.now);
    REQUIRE(peer.device.agent.add_peer(kPeer, {.mtu = 256}) == Status::ok);
  }
}

TEST_CASE("BUSY and REJECT end an offer, if it is theirs") {
  for (const Kind kind : {Kind::busy, Kind::reject}) {
    ScriptedPeer peer(three_blocks());
    Frame answer{.kind = kind, .exchange = peer.meet(), .retry_ms = 100, .code = 1};
    CHECK(peer.drops(Drop::unknown, answer, kStranger) == 1);
    ++answer.exchange;
    CHECK(peer.drops(Drop::unknown, answer) == 1);
    CHECK(peer.device.agent.exchanging());
    --answer.exchange;
    peer.tell(answer);
    CHECK_FALSE(peer.device.agent.exchanging());
    CHECK(peer.hear().empty());
    CHECK(peer.wait() == 24 * 3600 * 1000);  // meet() only
    CHECK(peer.drops(Drop::unknown, answer) == 1);
  }
}

TEST_CASE(
    "whoever was told to wait offers again after about as long, between its own idea of it and the longest "
    "time-out, and after twice as long each time it is told again") {
  struct Case {
    std::uint16_t retry;
    std::int32_t least, most;
  };
  for (const Case& c : {Case{0, 100, 300}, Case{500, 250, 750}, Case{65'535, 1000, 3000}}) {
    CAPTURE(c.retry);
    AgentConfig config = three_blocks();
    config.mean_wait = 2'000'000;
    ScriptedPeer peer(config);
    std::uint64_t nonce = peer.meet();
    for (std::int32_t times = 1; times <= 16; times *= 2) {
      peer.tell({.kind = Kind::busy, .exchange = nonce, .retry_ms = c.retry});
      const std::int32_t wait = peer.wait();
      CHECK(wait >= c.least * times);
      CHECK(wait <= c.most * times);
      peer.now = peer.now + static_cast<std::uint32_t>(wait);
      const auto frames = peer.hear();
      REQUIRE(frames.size() == 1);
      REQUIRE(frames[0].kind == Kind::offer);
      nonce = frames[0].exchange;
    }
  }
}

TEST_CASE(
    "an agent whose time comes while it knows nobody, or is busy, offers nothing and draws another time") {
  AgentConfig config = three_blocks();
  config.mean_wait = 100;
  ScriptedPeer peer(config);
  const auto pass = [&peer](std::uint32_t milliseconds) {
    for (std::uint32_t k = 0; k < milliseconds; k += 100) {
      peer.now = peer.now + 100;
      static_cast<void>(peer.hear());
      CHECK(peer.wait() > 0);
    }
  };
  peer.device.agent.remove_peer(kPeer);
  pass(2000);
  CHECK(peer.metrics().offers == 0);
  peer.begin_as_initiator();
  static_cast<void>(peer.device.agent.add_peer(kPeer, {.mtu = 256}));
  pass(2000);
  CHECK(peer.metrics().offers == 0);
}

// --- frames of exchanges that are not under way

TEST_CASE("of an exchange nobody knows READY gets an ABORT, everything else nothing") {
  ScriptedPeer peer(three_blocks());
  peer.name = 123;
  for (const Kind kind : {Kind::state, Kind::ack, Kind::commit, Kind::abort}) {
    CHECK(peer.drops(Drop::unknown, peer.frame(kind, 1)) == 1);
    CHECK(peer.hear().empty());
  }
  CHECK(peer.drops(Drop::unknown, peer.frame(Kind::ready, 1)) == 1);
  const auto answers = peer.hear();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].kind == Kind::abort);
  CHECK(answers[0].code == code(Ending::unknown));
  CHECK(answers[0].exchange == 123);
  CHECK(answers[0].block == 1);
}

TEST_CASE("an initiator that is asked about an exchange that is over says what it decided") {
  for (const bool complete : {true, false}) {
    ScriptedPeer peer(three_blocks());
    peer.begin_as_responder();
    for (std::uint32_t ordinal = 0; ordinal < (complete ? 3U : 1U); ++ordinal) {
      const std::uint16_t block = peer.block(ordinal);
      peer.tell_block(block);
      peer.tell(peer.ready(block));
    }
    if (!complete) peer.tell(peer.frame(Kind::abort, peer.block(1)));
    static_cast<void>(peer.hear());
    REQUIRE_FALSE(peer.device.agent.exchanging());
    REQUIRE(peer.metrics().completed == (complete ? 1 : 0));
    for (std::uint32_t ordinal = 0; ordinal < 3; ++ordinal) {
      for (const Kind kind : {Kind::ready, Kind::state}) {
        CHECK(peer.drops(Drop::duplicate, peer.frame(kind, peer.block(ordinal))) == 1);
        const auto answers = peer.hear();
        REQUIRE(answers.size() == 1);
        const bool decided = complete || ordinal == 0;
        CHECK(answers[0].kind == (decided ? Kind::commit : Kind::abort));
        CHECK(answers[0].block == peer.block(ordinal));
        if (!decided) CHECK(answers[0].code == code(Ending::over));
      }
      for (const Kind kind : {Kind::ack, Kind::commit, Kind::abort}) {
        CHECK(peer.drops(Drop::duplicate, peer.frame(kind, peer.block(ordinal))) == 1);
        CHECK(peer.hear().empty());
      }
    }
  }
}

TEST_CASE("a responder that has applied a block answers nothing to what still comes of it") {
  ScriptedPeer peer(three_blocks());
  peer.begin_as_initiator();
  for (std::uint32_t ordinal = 0; ordinal < 3; ++ordinal) {
    peer.tell_block(peer.block(ordinal));
    CHECK(peer.hear(Kind::ready) == 1);
    peer.tell(peer.frame(Kind::commit, peer.block(ordinal)));
  }
  REQUIRE(peer.metrics().completed == 1);
  static_cast<void>(peer.hear());
  for (const Kind kind : {Kind::state, Kind::ready, Kind::commit}) {
    CHECK(peer.drops(Drop::duplicate, peer.frame(kind, peer.block(2))) == 1);
    CHECK(peer.hear().empty());
  }
  CHECK(std::ranges::all_of(peer.device.x, [](float x) { return x == 0.5F; }));
}

TEST_CASE("four answers may wait; what would be the fifth is dropped, and asked for again") {
  ScriptedPeer peer(three_blocks());
  peer.name = 123;
  for (int k = 0; k < 5; ++k) peer.tell(peer.frame(Kind::ready, 0));
  CHECK(peer.dropped(Drop::no_room) == 1);
  CHECK(peer.wait() == 0);
  CHECK(peer.hear(Kind::abort) == 4);
  CHECK(peer.wait() > 0);
}

// --- frames out of place in the exchange under way

TEST_CASE("a responder drops what is out of place, each for its reason, and the exchange goes on") {
  ScriptedPeer peer(three_blocks());
  peer.begin_as_initiator();
  const std::uint16_t block = peer.block(0);

  for (const Kind kind : {Kind::state, Kind::ready, Kind::commit, Kind::abort})
    CHECK(peer.drops(Drop::malformed, peer.frame(kind, 3)) == 1);  // there are three
  Frame state = peer.frame(Kind::state, block);
  CHECK(peer.drops(Drop::malformed, state) == 1);  // too short
  state.chunk = 2;
  CHECK(peer.drops(Drop::malformed, state) == 1);                             // behind the block's end
  CHECK(peer.drops(Drop::unexpected, peer.chunk(peer.block(1), 0)) == 1);     // of the next block
  CHECK(peer.drops(Drop::unexpected, peer.ready(block)) == 1);                // an initiator says no READY
  CHECK(peer.drops(Drop::unexpected, peer.frame(Kind::commit, block)) == 1);  // nothing has been staged
  CHECK(peer.drops(Drop::unexpected, peer.chunk(block, 0), kStranger) == 1);  // not from the partner
  Frame ack = peer.frame(Kind::ack, block);
  ack.acknowledgement->next = 40;
  CHECK(peer.drops(Drop::malformed, ack) == 1);  // of what was never sent
  ack.acknowledgement->block = peer.block(1);
  CHECK(peer.drops(Drop::duplicate, ack) == 1);

  static_cast<void>(peer.hear());
  peer.tell(peer.chunk(block, 0));
  if (block != 2) {  // which has but one chunk
    CHECK(peer.drops(Drop::duplicate, peer.chunk(block, 0)) == 1);
    CHECK(peer.hear(Kind::ack) == 1);  // the peer does not know that it has come
  }
  peer.tell_block(block);
  CHECK(peer.hear(Kind::ready) == 1);
  CHECK(peer.drops(Drop::unexpected, peer.frame(Kind::commit, peer.block(1))) == 1);
  CHECK(peer.metrics().blocks_applied == 0);
  peer.tell(peer.frame(Kind::commit, block));
  CHECK(peer.metrics().blocks_applied == 1);

  for (const Kind kind : {Kind::state, Kind::commit, Kind::abort})
    CHECK(peer.drops(Drop::duplicate, peer.frame(kind, block)) == 1);  // it is over
  CHECK(peer.device.agent.exchanging());
}

TEST_CASE("a chunk further ahead than a window reaches is out of place") {
  AgentConfig config = three_blocks();
  config.block_length = 0;
  ScriptedPeer peer(config, 2000);
  peer.begin_as_initiator();
  CHECK(peer.drops(Drop::unexpected, peer.chunk(0, 33)) == 1);
  CHECK(peer.drops(Drop::unexpected, peer.chunk(0, 32)) == 0);
}

TEST_CASE("chunks that come for long without a frame being sent are all taken") {
  AgentConfig config = three_blocks();
  config.block_length = 0;
  ScriptedPeer peer(config, ScriptedPeer::kChunk * 300);
  peer.begin_as_initiator();
  peer.tell_block(0);
  CHECK(peer.hear(Kind::ready) == 1);
}

TEST_CASE("an initiator drops what is out of place, each for its reason, and the exchange goes on") {
  ScriptedPeer peer(three_blocks());
  peer.begin_as_responder();
  const std::uint16_t block = peer.block(0);
  CHECK(peer.drops(Drop::unexpected, peer.frame(Kind::commit, block)) == 1);
  CHECK(peer.drops(Drop::unexpected, peer.ready(peer.block(1))) == 1);
  const Frame ready = peer.ready(block);
  peer.tell(ready);  // before the chunks, it has overtaken them
  CHECK(peer.metrics().blocks_applied == 0);
  peer.tell_block(block);
  CHECK(peer.metrics().blocks_applied == 1);
  CHECK(peer.hear(Kind::commit) == 1);
  CHECK(peer.drops(Drop::duplicate, ready) == 1);
  CHECK(peer.wait() == 0);
  CHECK(peer.hear(Kind::commit) == 1);
  CHECK(peer.metrics().blocks_applied == 1);
}

TEST_CASE("a READY with a wrong checksum ends the exchange, and nothing is applied") {
  for (const bool ours : {true, false}) {
    ScriptedPeer peer(three_blocks());
    peer.begin_as_responder();
    peer.tell_block(peer.block(0));
    Frame ready = peer.ready(peer.block(0));
    ready.acknowledgement = codec::Acknowledgement{.block = peer.block(0)};
    ++(ours ? ready.checksums.initiator : ready.checksums.responder);
    static_cast<void>(peer.hear());
    peer.tell(ready);
    const auto answers = peer.hear();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].kind == Kind::abort);
    CHECK(answers[0].code == code(Ending::refused));
    CHECK(peer.metrics().refused[static_cast<std::size_t>(Refusal::checksum)] == 1);
    CHECK(peer.metrics().cut_short == 1);
    CHECK(peer.device.x == std::vector<float>(150));
  }
}

// --- how exchanges end

TEST_CASE("a responder that has said READY takes an ABORT at its word: which block, and why") {
  struct Case {
    std::uint32_t ordinal;
    Ending ending;
    std::uint64_t applied, in_doubt;
  };
  for (const Case& c : {Case{0, Ending::refused, 0, 0}, Case{0, Ending::unknown, 0, 1},
                        Case{1, Ending::refused, 1, 0}, Case{2, Ending::refused, 0, 0}}) {
    ScriptedPeer peer(three_blocks());
    peer.begin_as_initiator();
    peer.tell_block(peer.block(0));
    REQUIRE(peer.hear(Kind::ready) == 1);
    Frame abort = peer.frame(Kind::abort, peer.block(c.ordinal));
    abort.code = code(c.ending);
    peer.tell(abort);
    CHECK_FALSE(peer.device.agent.exchanging());
    CHECK(peer.metrics().blocks_applied == c.applied);
    CHECK(peer.metrics().in_doubt == c.in_doubt);
    CHECK(peer.metrics().cut_short == 1);
    CHECK(peer.hear().empty());
  }
}

TEST_CASE("a chunk of the next block says COMMIT too") {
  ScriptedPeer peer(three_blocks());
  peer.begin_as_initiator();
  for (std::uint32_t ordinal = 0; ordinal < 3; ++ordinal) {
    peer.tell_block(peer.block(ordinal));
    CHECK(peer.metrics().blocks_applied == ordinal);
    CHECK(peer.hear(Kind::ready) == 1);
  }
  CHECK(peer.drops(Drop::duplicate, peer.chunk(peer.block(1), 0)) == 1);
  peer.tell(peer.frame(Kind::commit, peer.block(2)));
  CHECK(peer.metrics().completed == 1);
}

TEST_CASE(
    "an exchange that gets no further is aborted, an offer without an answer withdrawn, each in its time") {
  for (const bool initiator : {true, false}) {
    ScriptedPeer peer(three_blocks());
    if (initiator) {
      peer.begin_as_initiator();
    } else {
      peer.begin_as_responder();
    }
    peer.tell(peer.frame(Kind::ack, peer.block(0)));
    peer.now = peer.now + (Timing{}.idle - 1);
    CHECK(peer.hear(Kind::abort) == 0);
    peer.now = peer.now + 1;
    const auto last = peer.hear();
    REQUIRE(last.size() == 1);
    CHECK(last[0].kind == Kind::abort);
    CHECK(last[0].code == code(Ending::timed_out));
    CHECK(peer.metrics().cut_short == 1);
    CHECK_FALSE(peer.device.agent.exchanging());
  }
  ScriptedPeer peer(three_blocks());
  static_cast<void>(peer.meet());
  peer.now = peer.now + (Timing{}.offer - 1);
  static_cast<void>(peer.hear());
  CHECK(peer.device.agent.exchanging());
  peer.now = peer.now + 1;
  CHECK(peer.hear().empty());
  CHECK_FALSE(peer.device.agent.exchanging());
  CHECK(peer.metrics().begun == 0);
}

TEST_CASE("a blocking agent takes no step during an exchange; a fresh one takes its partner's model over") {
  AgentConfig config = three_blocks();
  config.averaging = Averaging::blocking;
  config.fresh = true;
  ScriptedPeer peer(config);
  CHECK(peer.device.agent.step().ok());
  peer.begin_as_initiator();
  CHECK(peer.device.agent.step().status() == Status::busy);
  for (std::uint32_t ordinal = 0; ordinal < 3; ++ordinal) {
    peer.tell_block(peer.block(ordinal));
    peer.tell(peer.frame(Kind::commit, peer.block(ordinal)));
  }
  CHECK(peer.device.x == peer.theirs);
  CHECK_FALSE(peer.device.agent.fresh());
  CHECK(peer.device.agent.step().ok());
}

TEST_CASE("whose standing is the lesser moves alone: half of the way astray, all of it fresh") {
  struct Case {
    bool fresh;
    codec::Standing theirs;
    float moved;  // of the way
  };
  using codec::Standing;
  for (const auto& [fresh, theirs, moved] :
       {Case{false, Standing::settled, 0.5F}, Case{false, Standing::astray, 0},
        Case{false, Standing::fresh, 0}, Case{true, Standing::settled, 1}, Case{true, Standing::astray, 1},
        Case{true, Standing::fresh, 0.5F}}) {
    AgentConfig config = three_blocks();
    config.fresh = fresh;
    ScriptedPeer peer(config);
    Frame offer = peer.offer(1000);
    offer.handshake.standing = theirs;
    peer.tell(offer);
    peer.name = name_of(1000, peer.hear().at(0).handshake.nonce);
    const std::uint16_t block = peer.block(0);
    peer.tell_block(block);
    peer.tell(peer.frame(Kind::commit, block));
    CHECK(peer.device.x[60 * block] == moved);  // from 0 towards 1
  }
}

TEST_CASE(
    "refused three times in a row an agent says that it is astray, until it has moved; one without a gate "
    "does "
    "not") {
  for (const bool gate : {true, false}) {
    AgentConfig config = three_blocks();
    config.guarding.gate = gate;
    ScriptedPeer peer(config);
    const auto standing = [&peer] {
      if (peer.device.agent.meet(kPeer, peer.now) != Status::ok) std::abort();
      const Frame offer = peer.hear().at(0);
      peer.offered = offer.exchange;
      return offer.handshake.standing;
    };
    for (std::uint64_t nonce = 1; nonce <= 4; ++nonce) {
      CHECK(standing() == (gate && nonce == 4 ? codec::Standing::astray : codec::Standing::settled));
      peer.tell(peer.accept(peer.offered, nonce));
      peer.name = name_of(peer.offered, nonce);
      if (nonce == 4) break;
      static_cast<void>(peer.hear());  // all of the block
      Frame refusal = peer.frame(Kind::abort, peer.block(0));
      refusal.code = code(Ending::refused);
      peer.tell(refusal);
    }
    for (std::uint32_t k = 0; k < 3; ++k) {
      peer.tell_block(peer.block(k));
      peer.tell(peer.ready(peer.block(k)));
    }
    CHECK(peer.metrics().completed == 1);
    static_cast<void>(peer.hear());
    CHECK(standing() == codec::Standing::settled);
  }
}

// --- what a hostile peer may try

AgentConfig guarded() {
  AgentConfig config = three_blocks();
  config.guarding.gate = true;
  config.mean_wait = 2'000'000;  // it does choose partners, in a month or so
  return config;
}

// One whole exchange that the peer offers, at these parameters everywhere.
void exchange_at(ScriptedPeer& peer, float value, std::uint64_t nonce) {
  std::fill(peer.theirs.begin(), peer.theirs.end(), value);
  peer.begin_as_initiator(nonce);
  for (std::uint32_t k = 0; k < 3; ++k) {
    peer.tell_block(peer.block(k));
    peer.tell(peer.frame(Kind::commit, peer.block(k)));
  }
  static_cast<void>(peer.hear());
}

// One that the agent offers: partners whom it has drawn teach its gate what is usual.
void meet_at(ScriptedPeer& peer, float value, std::uint64_t nonce) {
  std::fill(peer.theirs.begin(), peer.theirs.end(), value);
  peer.begin_as_responder(nonce);
  static_cast<void>(peer.hear());
  const std::uint32_t blocks = block_count(peer.handshake(0));
  for (std::uint32_t k = 0; k < blocks; ++k) {
    peer.tell_block(peer.block(k));
    peer.tell(peer.ready(peer.block(k)));
    static_cast<void>(peer.hear());
  }
}

TEST_CASE("blocks however small do not wear a gate down within an exchange") {
  AgentConfig config = guarded();
  config.block_length = 0;
  ScriptedPeer peer(config);
  std::uint64_t nonce = 0;
  for (int k = 0; k < 20; ++k) meet_at(peer, peer.device.x[0] + 0.01F, ++nonce);
  const float before = peer.device.x[0];
  Frame offer = peer.offer(1000);
  offer.handshake.block_length = 1;
  peer.tell(offer);
  peer.name = name_of(1000, peer.hear().at(0).handshake.nonce);
  const std::uint16_t first = first_block(peer.name, 150);
  float far = 0.01F;
  for (std::uint32_t k = 0; k < 150; ++k, far *= 1.04F) {
    const auto block = static_cast<std::uint16_t>((first + k) % 150);
    const float lie = before + far;
    Frame state{.kind = Kind::state, .exchange = peer.name, .block = block};
    state.data = std::as_bytes(std::span(&lie, 1));
    peer.tell(state);
    peer.tell({.kind = Kind::commit, .exchange = peer.name, .block = block});
    static_cast<void>(peer.hear());
  }
  for (const float x : peer.device.x) CHECK(std::fabs(x - before) <= 0.5F * 1.8F * 0.01F);
}

TEST_CASE(
    "a partner that stays where it is for the third time is refused; one that moves is not, nor by one that "
    "is astray") {
  AgentConfig config = guarded();
  config.block_length = 0;
  const auto refused = [](const ScriptedPeer& peer) {
    return peer.device.agent.metrics().refused[static_cast<std::size_t>(Refusal::still)];
  };
  ScriptedPeer frozen(config);
  for (std::uint64_t nonce = 1; nonce <= 2; ++nonce) meet_at(frozen, 1, nonce);
  CHECK(frozen.device.x[0] == 0.75F);
  const std::vector<float> before = frozen.device.x;
  for (std::uint64_t nonce = 3; nonce <= 5; ++nonce) {
    meet_at(frozen, 1, nonce);
    exchange_at(frozen, 1, 100 + nonce);  // unasked
  }
  CHECK(frozen.device.x == before);
  CHECK(refused(frozen) == 6);

  ScriptedPeer moving(config);
  for (std::uint64_t nonce = 1; nonce <= 20; ++nonce) meet_at(moving, moving.device.x[0] + 0.01F, nonce);
  CHECK(refused(moving) == 0);
  CHECK(moving.device.agent.metrics().completed == 20);
}

TEST_CASE("a flood of distant offers does not open the gate, from however far they come") {
  for (const float away : {0.03F, 0.2F, 5e5F}) {
    CAPTURE(away);
    ScriptedPeer peer(guarded());
    std::uint64_t nonce = 0;
    for (int k = 0; k < 20; ++k) meet_at(peer, peer.device.x[0] + 0.01F, ++nonce);
    const std::vector<float> before = peer.device.x;
    for (int k = 0; k < 1000; ++k) exchange_at(peer, before[0] + away, ++nonce);  // refused, each of them
    exchange_at(peer, before[0] + away, ++nonce);
    CHECK(peer.device.x == before);
    meet_at(peer, before[0] + 0.1F, ++nonce);
    CHECK(peer.device.x == before);  // ten times as far as is usual is still too far
  }
}

TEST_CASE("partners many radii away do not count, but the third in a row does") {
  ScriptedPeer peer(guarded());
  std::uint64_t nonce = 0;
  for (int k = 0; k < 20; ++k) meet_at(peer, peer.device.x[0] + 0.01F, ++nonce);
  const float before = peer.device.x[0];
  const auto far = [&](int times) {
    for (int k = 0; k < times; ++k) meet_at(peer, before + 5, ++nonce);
  };
  // Had they counted, the radius would be twice as large for the next.
  far(2);
  meet_at(peer, before + 0.03F, ++nonce);
  CHECK(peer.device.x[0] == before);
  far(4);
  meet_at(peer, before + 0.03F, ++nonce);
  CHECK(peer.device.x[0] == doctest::Approx(before + 0.015F));
}

TEST_CASE(
    "an agent that a gate has parted from its partner takes no steps until it has averaged, three times at "
    "most; it heeds few that come unasked") {
  for (const bool drawn : {true, false}) {
    CAPTURE(drawn);
    AgentConfig config = guarded();
    config.local_steps = 1;
    ScriptedPeer peer(config);
    std::uint64_t nonce = 0;
    const auto meet = [&](bool refused) {
      if (drawn)
        peer.begin_as_responder(++nonce);
      else
        peer.begin_as_initiator(++nonce);
      if (!drawn) peer.tell(peer.chunk(peer.block(0), 0));
      static_cast<void>(peer.hear());  // all of the block
      Frame abort = peer.frame(Kind::abort, peer.block(0));
      abort.code = code(refused ? Ending::refused : Ending::timed_out);
      peer.tell(abort);
      static_cast<void>(peer.hear());
      return peer.metrics().steps;
    };
    std::string steps;
    for (int k = 0; k < 7; ++k) steps += std::to_string(meet(true));
    CHECK(steps == (drawn ? "1111222" : "1111234"));
    const std::uint64_t before = meet(false);  // by no gate
    CHECK(meet(false) == before + 1);
  }
}

TEST_CASE(
    "partners' refusals alone lead an agent astray only if it has drawn them and they have seen its block") {
  ScriptedPeer peer(guarded());
  const auto refuse = [&](bool heard) {
    if (heard) static_cast<void>(peer.hear());
    Frame refusal = peer.frame(Kind::abort, peer.block(0));
    refusal.code = code(Ending::refused);
    peer.tell(refusal);
    static_cast<void>(peer.hear());
  };
  const auto standing = [&] {
    if (peer.device.agent.meet(kPeer, peer.now) != Status::ok) std::abort();
    const Frame offer = peer.hear().at(0);
    peer.tell({.kind = Kind::reject, .exchange = offer.exchange});
    return offer.handshake.standing;
  };
  for (std::uint64_t nonce = 1; nonce <= 10; ++nonce) {
    peer.begin_as_initiator(nonce);
    refuse(true);
    peer.begin_as_responder(100 + nonce);
    refuse(false);
  }
  CHECK(standing() == codec::Standing::settled);
  for (std::uint64_t nonce = 1; nonce <= 3; ++nonce) {
    peer.begin_as_responder(200 + nonce);
    refuse(true);
  }
  CHECK(standing() == codec::Standing::astray);
}

TEST_CASE("a partner that is fresh or astray moves nobody's counter; who is fresh takes its partner's") {
  for (const codec::Standing standing : {codec::Standing::fresh, codec::Standing::astray}) {
    ScriptedPeer peer(three_blocks());
    for (int k = 0; k < 500; ++k) REQUIRE(peer.device.agent.step().ok());
    for (std::uint64_t nonce = 1; nonce <= 20; ++nonce) {
      Frame offer = peer.offer(nonce);
      offer.handshake.standing = standing;
      offer.handshake.counter = nonce % 2 == 0 ? 0 : UINT64_MAX;
      peer.tell(offer);
      peer.name = name_of(nonce, peer.hear().at(0).handshake.nonce);
      peer.tell_block(peer.block(0));
      peer.tell(peer.frame(Kind::commit, peer.block(0)));
      peer.tell(peer.frame(Kind::abort, peer.block(1)));
      static_cast<void>(peer.hear());
    }
    CHECK(peer.metrics().blocks_applied == 20);
    CHECK(peer.device.agent.counter() == StepCounter(500));
  }
  AgentConfig config = three_blocks();
  config.fresh = true;
  ScriptedPeer peer(config);
  Frame offer = peer.offer(1);
  offer.handshake.counter = StepCounter(700).bits();
  peer.tell(offer);
  peer.name = name_of(1, peer.hear().at(0).handshake.nonce);
  peer.tell_block(peer.block(0));
  peer.tell(peer.frame(Kind::commit, peer.block(0)));
  CHECK(peer.device.agent.counter() == StepCounter(700));
}

TEST_CASE("a peer that only says that it is there holds nobody for long") {
  for (const bool prepared : {true, false}) {
    ScriptedPeer peer(three_blocks());
    peer.begin_as_initiator();
    if (prepared) peer.tell_block(peer.block(0));
    std::uint32_t waited = 0;
    for (; peer.device.agent.exchanging() && waited < 24 * 3600 * 1000; waited += 5000) {
      peer.now = peer.now + 5000;
      peer.tell(peer.frame(Kind::ack, peer.block(0)));
      static_cast<void>(peer.hear());
    }
    const Timing timing;
    CHECK(waited <= (prepared ? timing.in_doubt : timing.idle) + 5000);
    CHECK(peer.metrics().in_doubt == (prepared ? 1 : 0));
  }
}

TEST_CASE("a peer that sends a chunk now and then holds nobody for longer than its block may take") {
  AgentConfig config = three_blocks();
  config.block_length = 0;
  ScriptedPeer peer(config, 50 * 100);
  peer.begin_as_initiator();
  std::uint32_t waited = 0;
  for (std::uint16_t k = 0; peer.device.agent.exchanging() && k < 99; ++k, waited += 9000) {
    peer.tell(peer.chunk(0, k));
    static_cast<void>(peer.hear());
    peer.now = peer.now + 9000;
    static_cast<void>(peer.hear());
  }
  CHECK_FALSE(peer.device.agent.exchanging());
  CHECK(waited <= config.timing.idle + 1000 * 4 * 5000 / config.timing.slowest + 9000);
}

TEST_CASE("an agent whose model has come to grief takes its next partner's") {
  ScriptedPeer peer(guarded());
  std::fill(peer.device.x.begin(), peer.device.x.end(), std::nanf(""));
  exchange_at(peer, 3, 1);
  CHECK(std::isnan(peer.device.x[0]));
  CHECK(peer.device.agent.fresh());
  exchange_at(peer, 3, 2);
  CHECK(peer.device.x == peer.theirs);
  CHECK_FALSE(peer.device.agent.fresh());
}

TEST_CASE("what was decided in one exchange is not said in the next") {
  ScriptedPeer peer(three_blocks());
  peer.begin_as_responder();
  static_cast<void>(peer.hear());
  peer.tell_block(peer.block(0));
  peer.tell(peer.ready(peer.block(0)));  // decides; before it can say so, the partner gives up the next block
  peer.tell(peer.frame(Kind::abort, peer.block(1)));
  CHECK(peer.metrics().blocks_applied == 1);
  CHECK_FALSE(peer.device.agent.exchanging());
  peer.begin_as_responder(3000);
  for (const Frame& frame : peer.hear()) CHECK(frame.kind == Kind::state);
}

TEST_CASE("a plan whose chunks cannot be numbered is not accepted") {
  AgentConfig config = three_blocks();
  config.block_length = 0;
  ScriptedPeer peer(config, 3'400'000);
  peer.offered = peer.meet();
  Frame accept = peer.accept(peer.offered, 5);  // 68,000 chunks of 50
  CHECK(peer.drops(Drop::malformed, accept) == 1);
  accept.handshake.block_length = 3'000'000;
  peer.tell(accept);
  CHECK(peer.metrics().begun == 1);
}

TEST_CASE("an agent that has nothing to say needs no room for it") {
  ScriptedPeer peer(three_blocks());
  CHECK_FALSE(peer.device.agent.send({}, peer.now));
  CHECK(peer.metrics().frames_sent == 0);
}

TEST_CASE("the same offer from somebody else is no reason to make another") {
  ScriptedPeer peer(three_blocks());
  const std::uint64_t nonce = peer.meet();
  CHECK(peer.drops(Drop::reflected, peer.offer(nonce), kStranger) == 1);
  CHECK(peer.hear(Kind::offer) == 0);
  peer.tell(peer.accept(nonce, 5));
  CHECK(peer.metrics().begun == 1);
}

TEST_CASE("however short the times it is given, an agent does not repeat itself within a millisecond") {
  AgentConfig config = three_blocks();
  config.timing.first_timeout = config.timing.least_timeout = config.timing.most_timeout = 1;
  config.timing.busy = 0;
  config.mean_wait = 1;
  ScriptedPeer peer(config);
  std::size_t offers = 0;
  for (int k = 0; k < 200; ++k) {
    peer.now = peer.now + 1;
    const auto frames = peer.hear();
    const auto offer = std::ranges::find(frames, Kind::offer, &Frame::kind);
    CHECK(frames.size() <= 1);
    if (offer == frames.end()) continue;
    ++offers;
    if (k % 2 == 0) peer.tell({.kind = Kind::busy, .exchange = offer->exchange});
    CHECK(peer.hear().empty());
    CHECK(peer.wait() > 0);
  }
  CHECK(offers > 50);
}

}  // namespace
