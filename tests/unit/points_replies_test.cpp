// What an agent answers to a peer that sends points of a lattice, rightly or not.
#include "scripted_peer.h"

#include <popsgd/agent.h>
#include <popsgd/lattice/points.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using codec::Frame;
using codec::Kind;
using popsgd::test::kPeer;
using popsgd::test::ScriptedPeer;
using popsgd::test::slow_crc;

constexpr Numeric kKinds[] = {Numeric::float32, Numeric::int16, Numeric::int8};
constexpr std::size_t kLength = 500;  // two chunks of 4 bits
constexpr std::size_t kFirst = 392;

// The agent's model is a quarter, the peer's 1: points are 1 and 4 on a lattice of quarters, whatever the dither, and
// 4 bits tell them apart. Both move to 0.625.
constexpr std::int8_t kFraction = 4;  // of integers on either side
constexpr float kAgent = 0.25F;
constexpr double kMiddle = 0.625;
constexpr std::uint8_t kFourBits = 3;
constexpr std::uint8_t kRotated = 16;
constexpr std::uint8_t kQuarters = 0xFE;
constexpr std::byte kTwoPoints{0x44};

// Of one number everywhere.
template <typename T>
std::uint32_t checksum_of(T value) {
  const std::vector<T> values(kLength, value);
  return slow_crc(std::as_bytes(std::span(values)));
}

class PointsPeer : public ScriptedPeer {
 public:
  /// `partner` is what it says that its own parameters are.
  PointsPeer(Numeric kind, Numeric partner, const AgentConfig& config = quantising({Width::fixed, 4}))
      : ScriptedPeer(config, kind, {kLength, kFraction}), partner_(partner) {
    device.set(std::vector<float>(kLength, kAgent));
  }

  static AgentConfig quantising(Quantisation quantise) {
    AgentConfig config = three_blocks();
    config.block_length = 0;
    config.quantise = quantise;
    return config;
  }
  void begin_as_initiator(bool rotates = false) {
    Frame offer = ScriptedPeer::offer(++nonce_);
    describe(offer.handshake, rotates);
    tell(offer);
    name = name_of(nonce_, hear().at(0).handshake.nonce);
  }
  void begin_as_responder(bool rotates = false) {
    offered = meet();
    Frame accept = ScriptedPeer::accept(offered, ++nonce_);
    describe(accept.handshake, rotates);
    tell(accept);
    name = name_of(offered, nonce_);
  }

  /// What leads a slice's points: the exponent, and the fraction of integers.
  [[nodiscard]] std::vector<std::uint8_t> lead(std::uint8_t exponent = kQuarters,
                                               std::uint8_t fraction = kFraction) const {
    if (partner_ == Numeric::float32) return {exponent};
    return {exponent, fraction};
  }
  /// A chunk of anything.
  Frame state(std::uint16_t chunk, std::vector<std::byte> data, std::uint8_t attempt = 0) {
    Frame made{.kind = Kind::state, .exchange = name | attempt, .chunk = chunk};
    said_.push_back(std::move(data));
    made.data = said_.back();
    return made;
  }
  /// One of points of 4 bits.
  Frame points(std::uint16_t chunk, std::uint8_t attempt = 0) {
    return points(chunk, kFourBits, lead(), attempt);
  }
  Frame points(std::uint16_t chunk, std::uint8_t encoding, const std::vector<std::uint8_t>& lead,
               std::uint8_t attempt = 0) {
    std::vector<std::byte> data{std::byte{encoding}};
    for (const std::uint8_t byte : lead) data.push_back(std::byte{byte});
    data.resize(data.size() + (chunk == 0 ? kFirst : kLength - kFirst) / 2, kTwoPoints);
    return state(chunk, std::move(data), attempt);
  }
  void tell_points(std::uint8_t attempt = 0) {
    for (const std::uint16_t chunk : {std::uint16_t{0}, std::uint16_t{1}}) tell(points(chunk, attempt));
  }
  /// The same floats as they are.
  void tell_floats(float value) {
    constexpr std::size_t kFloats = 49;
    const std::vector<float> values(kLength, value);
    for (std::size_t at = 0; at < kLength; at += kFloats) {
      const auto bytes = std::as_bytes(std::span(values).subspan(at).first(std::min(kFloats, kLength - at)));
      std::vector<std::byte> data{std::byte{0}};
      data.insert(data.end(), bytes.begin(), bytes.end());
      tell(state(static_cast<std::uint16_t>(at / kFloats), std::move(data)));
    }
  }
  Frame of_attempt(Kind kind, std::uint8_t attempt) const {
    Frame made = frame(kind, 0);
    made.exchange |= attempt;
    return made;
  }

  [[nodiscard]] std::uint64_t refused(Refusal reason) const {
    return metrics().refused[static_cast<std::size_t>(reason)];
  }
  /// Of the agent's raw points: floats are multiples of 2^-25, integers of their unit.
  [[nodiscard]] std::uint32_t own_checksum() const {
    return checksum_of(device.numeric == Numeric::float32 ? 1 << 23 : 4);
  }
  [[nodiscard]] bool everywhere(double value) const {
    for (std::size_t k = 0; k < kLength; ++k)
      if (device.value(k) != value) return false;
    return true;
  }

 private:
  void describe(codec::Handshake& handshake, bool rotates) const {
    handshake.format = static_cast<codec::Format>(partner_);
    handshake.quantises = true;
    handshake.rotates = rotates;
  }

  Numeric partner_;
  std::uint64_t nonce_ = 100;
  std::vector<std::vector<std::byte>> said_{};
};

void for_all_kinds(void (*check)(Numeric kind, Numeric partner)) {
  for (const Numeric kind : kKinds) {
    for (const Numeric partner : kKinds) {
      CAPTURE(static_cast<int>(kind));
      CAPTURE(static_cast<int>(partner));
      check(kind, partner);
    }
  }
}

TEST_CASE("chunks that are no points, or contradict each other, are malformed, and the exchange goes on") {
  for_all_kinds([](Numeric kind, Numeric partner) {
    PointsPeer peer(kind, partner);
    peer.begin_as_initiator();
    const auto malformed = [&peer](const Frame& frame) { CHECK(peer.drops(Drop::malformed, frame) == 1); };
    const std::vector<std::uint8_t> lead = peer.lead();
    malformed(peer.points(0, 2 * kRotated + kFourBits, lead));
    malformed(peer.points(0, kRotated + kFourBits, lead));  // neither has said that it rotates
    CHECK(peer.hear(Kind::state) == 0);
    // What is not read any further says how it is encoded; this agent will not hear of another encoding.
    malformed(peer.state(0, {std::byte{kFourBits}}));
    malformed(peer.state(2, {std::byte{kFourBits}}));
    malformed(peer.points(1, kFourBits + 1, lead));
    for (const std::uint8_t exponent : std::initializer_list<std::uint8_t>{121, 127, 128, 256 - 121})
      malformed(peer.points(0, kFourBits, peer.lead(exponent)));
    if (partner != Numeric::float32)
      for (const std::uint8_t fraction : std::initializer_list<std::uint8_t>{32, 256 - 32})
        malformed(peer.points(0, kFourBits, peer.lead(kQuarters, fraction)));
    peer.tell(peer.points(0));
    malformed(peer.points(1, kFourBits, peer.lead(kQuarters + 1)));
    if (partner != Numeric::float32)
      malformed(peer.points(1, kFourBits, peer.lead(kQuarters, kFraction + 1)));
    CHECK(peer.hear(Kind::ready) == 0);

    peer.tell(peer.points(1));
    const auto frames = peer.hear();
    const auto ready = std::ranges::find(frames, Kind::ready, &Frame::kind);
    REQUIRE(ready != frames.end());
    CHECK(ready->checksums ==
          codec::Checksums{.initiator = checksum_of(4), .responder = peer.own_checksum()});
    peer.tell(peer.frame(Kind::commit, 0));
    CHECK(peer.everywhere(kMiddle));
    CHECK(peer.metrics().completed == 1);
  });
}

TEST_CASE("integers come raw with their own unit, and no chunk may have another") {
  for_all_kinds([](Numeric kind, Numeric partner) {
    if (partner == Numeric::float32) return;
    PointsPeer peer(kind, partner);
    peer.begin_as_initiator();
    const std::size_t bytes = partner == Numeric::int16 ? 2 : 1;
    const std::size_t chunk = (bytes == 2 ? 99 : 199) / 8 * 8;
    const auto raw = [&](std::size_t at, std::uint8_t fraction) {
      std::vector<std::byte> data{std::byte{0}, std::byte{fraction}};
      for (std::size_t k = at; k < std::min(at + chunk, kLength); ++k) {
        data.push_back(std::byte{1 << kFraction});
        data.resize(data.size() + bytes - 1);
      }
      return peer.state(static_cast<std::uint16_t>(at / chunk), std::move(data));
    };
    CHECK(peer.drops(Drop::malformed, raw(0, 32)) == 1);
    peer.tell(raw(0, kFraction));
    CHECK(peer.drops(Drop::malformed, raw(chunk, kFraction + 1)) == 1);
    for (std::size_t at = chunk; at < kLength; at += chunk) peer.tell(raw(at, kFraction));
    CHECK(peer.hear(Kind::ready) == 1);
    peer.tell(peer.frame(Kind::commit, 0));
    CHECK(peer.everywhere(kMiddle));
  });
}

TEST_CASE(
    "a responder follows to the next attempt only, and only when it is prepared; what it commits is that "
    "one") {
  for_all_kinds([](Numeric kind, Numeric partner) {
    PointsPeer peer(kind, partner);
    peer.begin_as_initiator();
    CHECK(peer.drops(Drop::unexpected, peer.points(0, 1)) == 1);  // it is not prepared
    peer.tell_points();
    CHECK(peer.hear(Kind::ready) == 1);
    CHECK(peer.drops(Drop::unexpected, peer.points(0, 2)) == 1);
    CHECK(peer.metrics().retries == 0);
    peer.tell_points(1);
    CHECK(peer.metrics().retries == 1);
    CHECK(peer.hear(Kind::ready) == 1);
    CHECK(peer.drops(Drop::duplicate, peer.points(0)) == 1);
    CHECK(peer.drops(Drop::unexpected, peer.of_attempt(Kind::commit, 0)) == 1);
    CHECK(peer.everywhere(kAgent));
    peer.tell(peer.of_attempt(Kind::commit, 1));
    CHECK(peer.everywhere(kMiddle));
  });
  ScriptedPeer plain(ScriptedPeer::three_blocks());
  plain.begin_as_initiator();
  plain.tell_block(plain.block(0));
  Frame again = plain.chunk(plain.block(0), 0);
  again.exchange |= 1;
  CHECK(plain.drops(Drop::unexpected, again) == 1);  // floats cannot have been read wrong
}

// It has the partner's points sent again alone, twice; then everything anew.
TEST_CASE("an initiator that has never read right tries four times, and nothing is applied") {
  for_all_kinds([](Numeric kind, Numeric partner) {
    PointsPeer peer(kind, partner);
    peer.begin_as_responder();
    const bool floats = kind == Numeric::float32 && partner == Numeric::float32;
    if (floats) {  // it sends them as they are, and wants the same
      CHECK(peer.drops(Drop::malformed, peer.points(0)) == 1);
      return;
    }
    CHECK(peer.drops(Drop::unexpected, peer.points(0, 1)) == 1);  // an initiator does not follow
    for (std::uint8_t attempt = 0; attempt < 4; ++attempt) {
      CHECK(peer.metrics().retries == attempt);
      const std::vector<Frame> heard = peer.hear();
      const auto count = [&heard](Kind of) {
        return std::ranges::count_if(heard, [of](const Frame& frame) { return frame.kind == of; });
      };
      const bool alone = attempt == 1 || attempt == 2;
      CHECK(count(Kind::again) == (alone ? 1 : 0));
      CHECK((count(Kind::state) > 0) == !alone);
      if (attempt > 0)
        CHECK(peer.drops(Drop::duplicate,
                         peer.of_attempt(Kind::ready, static_cast<std::uint8_t>(attempt - 1))) == 1);
      if (attempt < 3)
        CHECK(peer.drops(Drop::unexpected,
                         peer.of_attempt(Kind::ready, static_cast<std::uint8_t>(attempt + 1))) == 1);
      peer.tell_points(attempt);
      Frame ready = peer.of_attempt(Kind::ready, attempt);
      ready.checksums = {.initiator = peer.own_checksum(), .responder = checksum_of(5)};
      peer.tell(ready);
    }
    CHECK(peer.metrics().retries == 3);
    CHECK(peer.refused(Refusal::checksum) == 1);
    CHECK(peer.hear(Kind::abort) == 1);
    CHECK(peer.everywhere(kAgent));
  });
}

// The first exchange: the agent that offers does not know a step yet, and sends raw.
void teach(PointsPeer& peer) {
  const bool floats = peer.device.numeric == Numeric::float32;
  peer.begin_as_responder(true);
  if (floats)
    peer.tell_floats(1);
  else
    peer.tell_points();
  Frame ready = peer.frame(Kind::ready, 0);
  ready.checksums.initiator = floats ? checksum_of(kAgent) : peer.own_checksum();
  ready.checksums.responder = floats ? checksum_of(1.0F) : checksum_of(4);
  peer.tell(ready);
  REQUIRE(peer.everywhere(kMiddle));
  static_cast<void>(peer.hear());
}

TEST_CASE("whom an agent sends rotated points answers in those") {
  for (const Numeric kind : kKinds) {
    PointsPeer peer(kind, Numeric::float32, PointsPeer::quantising({Width::fixed, 4, true}));
    teach(peer);
    for (const bool offers : {true, false}) {
      if (offers)
        peer.begin_as_responder(true);
      else
        peer.begin_as_initiator(true);
      const auto malformed = [&](const Frame& frame) { CHECK(peer.drops(Drop::malformed, frame) == 1); };
      malformed(peer.points(0, kRotated, peer.lead()));  // raw ones are never rotated
      if (offers) {
        CHECK(peer.hear().at(0).data[0] == std::byte{kRotated + kFourBits});
        malformed(peer.points(0));
      }
      const std::uint64_t before = peer.dropped(Drop::malformed);
      for (const std::uint16_t chunk : {std::uint16_t{0}, std::uint16_t{1}})
        peer.tell(peer.points(chunk, kRotated + kFourBits, peer.lead()));
      CHECK(peer.dropped(Drop::malformed) == before);
      if (offers) {
        CHECK(peer.hear(Kind::ack) == 1);
        peer.tell(peer.frame(Kind::abort, 0));
      } else {
        const auto answers = peer.hear();
        CHECK(answers.at(0).kind == Kind::ready);
        CHECK(answers.at(1).data[0] == std::byte{kRotated + kFourBits});
      }
    }
  }
}

TEST_CASE("after the most bits there are an agent sends raw") {
  for (const Numeric kind : {Numeric::int16, Numeric::int8}) {
    PointsPeer peer(kind, Numeric::float32, PointsPeer::quantising({Width::fixed, 16}));
    teach(peer);
    peer.begin_as_responder();
    CHECK(peer.hear().at(0).data[0] == std::byte{15});
    peer.tell_points();
    peer.tell(peer.frame(Kind::ready, 0));  // it has read wrong
    CHECK(peer.metrics().retries == 1);
    CHECK(peer.hear().at(0).data[0] == std::byte{0});
  }
}

TEST_CASE("who takes a model over wants it raw") {
  for (const Numeric kind : kKinds) {
    AgentConfig config = PointsPeer::quantising({Width::fixed, 4, true});
    config.fresh = true;
    PointsPeer peer(kind, Numeric::float32, config);
    peer.begin_as_initiator(true);
    CHECK(peer.drops(Drop::malformed, peer.points(0)) == 1);
    CHECK(peer.drops(Drop::malformed, peer.points(0, kRotated, peer.lead())) == 1);
    CHECK(peer.drops(Drop::malformed, peer.points(0, kRotated + kFourBits, peer.lead())) == 1);
    CHECK(peer.hear(Kind::state) == 0);
  }
}

TEST_CASE("a point further away than any is taken for the furthest there is") {
  for (const std::int32_t far :
       {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
    PointsPeer peer(Numeric::int16, Numeric::float32);
    peer.begin_as_initiator();
    constexpr std::size_t kPoints = 48;
    const std::vector<std::int32_t> points(kLength, far);
    for (std::size_t at = 0; at < kLength; at += kPoints) {
      const auto bytes = std::as_bytes(std::span(points).subspan(at).first(std::min(kPoints, kLength - at)));
      std::vector<std::byte> data{std::byte{0}, std::byte{kQuarters}};
      data.insert(data.end(), bytes.begin(), bytes.end());
      peer.tell(peer.state(static_cast<std::uint16_t>(at / kPoints), std::move(data)));
    }
    const auto frames = peer.hear();
    const auto ready = std::ranges::find(frames, Kind::ready, &Frame::kind);
    REQUIRE(ready != frames.end());
    CHECK(ready->checksums.initiator == checksum_of(far < 0 ? -lattice::kFurthest : lattice::kFurthest));
    peer.tell(peer.frame(Kind::commit, 0));
    CHECK(peer.everywhere(far < 0 ? -2048 : 2048 - 0x1p-4));  // the ends of its type
    CHECK(peer.metrics().saturated == kLength);
  }
}

TEST_CASE("a partner that refuses what it has not heard does not lead an agent astray") {
  for (const bool heard : {false, true}) {
    AgentConfig config = PointsPeer::quantising({Width::fixed, 4});
    config.guarding.gate = true;
    PointsPeer peer(Numeric::float32, Numeric::float32, config);
    for (int k = 0; k < 3; ++k) {
      peer.begin_as_initiator();
      if (heard) {
        peer.tell(peer.points(0));  // it then speaks, too
        for (const std::uint16_t next : {std::uint16_t{0}, std::uint16_t{4}, std::uint16_t{8}}) {
          Frame ack = peer.frame(Kind::ack, 0);
          ack.acknowledgement->next = next;
          peer.tell(ack);
          CHECK(peer.hear(Kind::state) == (next == 8 ? 3 : 4));
        }
      }
      Frame refusal = peer.frame(Kind::abort, 0);
      refusal.code = static_cast<std::uint8_t>(Ending::refused);
      peer.tell(refusal);
    }
    REQUIRE(peer.device.agent.meet(kPeer, peer.now) == Status::ok);
    CHECK(peer.hear().back().handshake.standing ==
          (heard ? codec::Standing::astray : codec::Standing::settled));
  }
}

}  // namespace
