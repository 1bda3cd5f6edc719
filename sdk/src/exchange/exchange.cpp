#include "exchange/exchange.h"

#include "codec/codec.h"
#include "codec/seal.h"
#include "exchange/waits.h"

#include <popsgd/assert.h>
#include <popsgd/lattice/encoding.h>

#include <algorithm>
#include <array>

namespace popsgd {
namespace {

// Arrivals after which an acknowledgement is not put off any longer (RFC 5681, section 4.2).
constexpr std::uint16_t kAcknowledgeEvery = 2;

// Over a stream acknowledgements tell of no losses, and only keep the window open: none is due because of time.
constexpr int acknowledge_every(std::uint16_t window) {
  return std::max(1, window / 2);
}

// How often a responder asks at least before it gives its half up: with half of all frames lost it then remains in
// doubt once in 0.75^-32 = 10,000 times.
constexpr std::uint32_t kAsksInDoubt = 32;

// How far this side moves towards its partner.
Weight weight(codec::Standing mine, codec::Standing theirs) {
  if (mine == theirs) return Weight::half;
  if (mine < theirs) return Weight::none;
  return mine == codec::Standing::fresh ? Weight::whole : Weight::half;
}

// Of two agents that send each other floats as they are, and no more.
bool both_plain(const codec::Handshake& a, const codec::Handshake& b) {
  const auto floats = [](const codec::Handshake& h) {
    return h.format == codec::Format::float32 && !h.quantises;
  };
  return floats(a) && floats(b);
}

// Parameters of a block whose chunks can all be numbered: less than 2^16 chunks of less than 2^14.
std::uint32_t longest_block(std::uint16_t mtu, bool plain) {
  return static_cast<std::uint32_t>((codec::kMostChunks - 1) * Snapshots::least_chunk(mtu, plain));
}
bool addressable(const codec::Handshake& plan, bool plain) {
  return std::min(plan.block_length, plan.parameters) <= longest_block(plan.mtu, plain);
}

// What both sides draw from for a block: 32 bits of dither, coins and signs.
std::uint32_t offset_of(std::uint64_t name, std::uint16_t block, std::uint8_t attempt) {
  const Threefry stream{static_cast<std::uint32_t>(name), static_cast<std::uint32_t>(name >> 32)};
  return stream.block(block, attempt)[0];
}

}  // namespace

codec::Handshake Exchange::handshake(LinkTraits traits) const {
  return {.nonce = 0,
          .fingerprint = config_.fingerprint,
          .counter = learner_.counter().bits(),
          .parameters = static_cast<std::uint32_t>(snapshots_.parameters()),
          .block_length = longest_block_,
          .version = codec::kVersion,
          .mtu = std::min(config_.largest_frame, traits.mtu),
          .window = config_.window,
          .format = static_cast<codec::Format>(snapshots_.numeric()),
          .standing = learner_.standing(),
          .layout = snapshots_.layout(),
          .quantises = steps_.quantises(),
          .rotates = steps_.rotates()};
}

// --- handshake

// What both begin with.
void Exchange::introduce(PeerId peer, LinkTraits traits, Time now) {
  // What the last exchange knew of the path, if that was with the same peer.
  if (peer == peer_ && sender_.path().known()) {
    repeats_ = sender_.path();
    repeats_.begin_anew();
  } else {
    const Timing& timing = config_.timing;
    repeats_ = {timing.first_timeout, timing.least_timeout, timing.most_timeout};
  }
  peer_ = peer;
  traits_ = traits;
  plan_ = handshake(traits);
  counter_mine_ = StepCounter::from_bits(plan_.counter);
  plan_.nonce = random_.bits64();
  repeat_at_ = now;
}

void Exchange::offer(PeerId peer, LinkTraits traits, Time now) {
  phase_ = Phase::offering;
  initiator_ = true;
  confirmed_ = false;
  introduce(peer, traits, now);
  began_ = heard_ = now;
  nonce_i_ = plan_.nonce;
  count(metrics_.offers);
}

void Exchange::offer_anew(Time now) {
  nonce_i_ = plan_.nonce = random_.bits64();
  repeat_at_ = now;
}

void Exchange::answer(PeerId peer, LinkTraits traits, const codec::Frame& offer, Time now) {
  const codec::Handshake& theirs = offer.handshake;
  initiator_ = false;
  introduce(peer, traits, now);
  plan_.mtu = std::min(plan_.mtu, theirs.mtu);
  plan_.window = std::min(plan_.window, theirs.window);
  plan_.block_length = std::min(plan_.block_length, theirs.block_length);
  plan_.block_length = std::min(plan_.block_length, longest_block(plan_.mtu, both_plain(plan_, theirs)));
  nonce_i_ = theirs.nonce;
  open(plan_, theirs, traits, now);
}

void Exchange::answer_again(Time now) {
  if (confirmed_) return drop(Drop::duplicate);
  repeat_at_ = now;
}

void Exchange::accepted(const codec::Frame& accept, Time now) {
  const codec::Handshake& plan = accept.handshake;
  const bool fits = plan.fingerprint == plan_.fingerprint && plan.parameters == plan_.parameters &&
                    plan.version == plan_.version && plan.layout == plan_.layout &&
                    plan.block_length <= plan_.block_length && plan.mtu <= plan_.mtu &&
                    plan.window <= plan_.window && addressable(plan, both_plain(plan, plan_));
  if (!fits) return drop(Drop::malformed);
  // Karn's rule: of an offer sent more than once nobody knows which one was answered.
  if (repeats_.expiries() <= 1)
    repeats_.sample(static_cast<std::uint32_t>(std::max<std::int32_t>(0, now.since(began_))));
  open(plan, plan, traits_, now);
  confirmed_ = true;
}

void Exchange::open(const codec::Handshake& plan, const codec::Handshake& theirs, LinkTraits traits,
                    Time now) {
  count(metrics_.begun);
  phase_ = Phase::moving;
  name_ = name_of(nonce_i_, plan.nonce);
  block_length_ = std::min(plan.block_length, plan.parameters);
  blocks_ = block_count(plan);
  first_ = first_block(name_, blocks_);
  ordinal_ = 0;
  began_ = heard_ = now;
  confirmed_ = counted_ = false;
  owed_commit_.reset();
  learner_.begin_exchange(initiator_);
  if (Privacy* privacy = privacy_of(config_)) privacy->begin_exchange();
  weight_ = weight(plan_.standing, theirs.standing);
  their_numeric_ = static_cast<Numeric>(theirs.format);
  plain_ = both_plain(plan_, theirs);
  rotating_ = steps_.rotates() && theirs.rotates;
  adopting_ = weight_ == Weight::whole || weight(theirs.standing, plan_.standing) == Weight::whole;
  snapshots_.connect(initiator_ ? lattice::Side::initiator : lattice::Side::responder, their_numeric_,
                     plain(), plan.mtu);
  sender_.connect({std::min<std::uint16_t>(plan.window, kMostInFlight), traits.reliable}, repeats_);

  const bool blocking = config_.averaging == Averaging::blocking;
  if (!blocking) begin_block();
  learner_.take_steps();
  if (blocking) begin_block();
  counter_theirs_ = StepCounter::from_bits(theirs.counter);
}

// Who takes its partner's model over has nothing to tell. Further attempts show the same again, or no more than partners know.
void Exchange::begin_block() {
  attempt_ = 0;
  Privacy* privacy = privacy_of(config_);
  if (privacy != nullptr && weight_ != Weight::whole) privacy->show(stretch().offset, stretch().length);
  begin_attempt();
}

// A responder whose partner may quantise waits for what it sends, and decides then what to send itself.
void Exchange::begin_attempt() {
  snapshots_.take(stretch(), offset_of(name_, block(), attempt_));
  speaking_ = false;
  asks_again_ = owes_again_ = false;
  sender_.begin(0);
  receiver_.begin(plain() ? snapshots_.hear({}) : 1);
  if (plain() || initiator_) speak();
  begin_crossing();
}

void Exchange::begin_crossing() {
  ready_.reset();
  progressed_ = heard_;
  constexpr std::size_t kHalfDay = std::size_t{12} * 3600;  // seconds
  const std::size_t crossing = stretch().length * sizeof(float) / config_.timing.slowest + 1;
  block_ends_ =
      heard_ + config_.timing.idle + 1000 * static_cast<std::uint32_t>(std::min(crossing, kHalfDay));
  unacknowledged_ = 0;
  acknowledge_now_ = false;
}

void Exchange::speak() {
  speaking_ = true;
  sender_.begin(snapshots_.speak(encoding(), steps_));
}

// Raw is always understood. Distances of rotated models say nothing of others: who rotates sends raw to who does not.
Encoding Exchange::encoding() const {
  const std::uint8_t heard = !initiator_ && snapshots_.heard() ? snapshots_.heard_encoding().bits : 0;
  const std::uint8_t bits = steps_.bits(attempt_, heard);
  if (plain() || adopting_ || bits == 0) return {};
  const bool known = snapshots_.known(steps_);
  if (initiator_) return known && rotating() == steps_.rotates() ? Encoding{bits, rotating()} : Encoding{};
  if (rotated(snapshots_.heard_encoding()))
    return {known ? bits : static_cast<std::uint8_t>(lattice::kMostBits), true};
  return known && !steps_.rotates() && !snapshots_.floats() ? Encoding{bits, false} : Encoding{};
}

bool Exchange::acceptable(Encoding theirs) const {
  if (plain() || adopting_) return theirs == Encoding{};
  if (theirs.again && (initiator_ || attempt_ == 0 || theirs.bits == 0)) return false;
  if (!initiator_) return !rotated(theirs) || (rotating() && theirs.bits != 0);
  if (rotated(snapshots_.spoken()) != rotated(theirs) || (rotated(theirs) && theirs.bits == 0)) return false;
  return !snapshots_.floats() || theirs.bits == 0;
}

Stretch Exchange::stretch() const {
  const std::size_t offset = std::size_t{block()} * block_length_;
  return {offset, std::min<std::size_t>(block_length_, snapshots_.parameters() - offset)};
}

// --- what arrives

void Exchange::receive(const codec::Frame& frame, Time now) {
  if (frame.kind != codec::Kind::ack && frame.block >= blocks_) return drop(Drop::malformed);
  heard_ = now;
  confirmed_ = true;
  switch (frame.kind) {
    case codec::Kind::state:
      return receive_state(frame, now);
    case codec::Kind::ack:
      return receive_acknowledgement(frame, now);
    case codec::Kind::ready:
      return receive_ready(frame, now);
    case codec::Kind::again:
      return receive_again(frame, now);
    case codec::Kind::commit:
      return receive_commit(frame, now);
    case codec::Kind::abort:
      return receive_abort(frame, now);
    default:
      return drop(Drop::unexpected);
  }
}

void Exchange::receive_state(const codec::Frame& frame, Time now) {
  const std::uint32_t ordinal = ordinal_of(frame.block);
  // An initiator only goes on to the next block when it has decided this one.
  if (phase_ == Phase::prepared && ordinal == ordinal_ + 1) commit(now);
  if (ordinal != ordinal_) return drop(ordinal < ordinal_ ? Drop::duplicate : Drop::unexpected);
  if (attempt_in(frame) < attempt_) return drop(Drop::duplicate);
  if (attempt_in(frame) > attempt_ && !follow(frame)) return drop(Drop::unexpected);
  if (frame.acknowledgement) receive_acknowledgement(frame, now);
  arrived(frame, now);
}

// An initiator that begins another attempt has not decided this one, and never will: what is staged is dropped. What is
// raw begins anew; otherwise it has read our points right, unless it says so.
bool Exchange::follow(const codec::Frame& frame) {
  if (initiator_ || phase_ != Phase::prepared || plain()) return false;
  const std::optional<Encoding> theirs = snapshots_.encoding_of(frame.data);
  const bool last = attempt_in(frame) + 1 == kAttempts;
  if (!last && attempt_in(frame) != attempt_ + 1) return false;
  if (!theirs || last != (theirs->bits == 0) || (!last && !repeats_own(*theirs))) return false;
  attempt_ = attempt_in(frame);
  count(metrics_.retries);
  phase_ = Phase::moving;
  if (last) {
    begin_attempt();
    return true;
  }
  snapshots_.forget_theirs();
  receiver_.begin(1);
  if (theirs->again)
    speak();
  else
    sender_.finish();
  begin_crossing();
  return true;
}

// Whether these may be the points that were read wrong, in more bits.
bool Exchange::repeats_own(Encoding theirs) const {
  const Encoding before = snapshots_.heard_encoding();
  return before.bits != 0 && rotated(before) == rotated(theirs);
}

void Exchange::arrived(const codec::Frame& frame, Time now) {
  const std::optional<Encoding> theirs = snapshots_.encoding_of(frame.data);
  if (!theirs || !acceptable(*theirs)) return drop(Drop::malformed);
  if (!snapshots_.heard()) receiver_.begin(snapshots_.hear(*theirs));
  if (*theirs != snapshots_.heard_encoding() || !snapshots_.fits(frame.chunk, frame.data))
    return drop(Drop::malformed);
  if (!speaking_) speak();

  if (unacknowledged_ == 0)
    acknowledge_at_ = now + (traits_.reliable ? config_.timing.idle : config_.timing.least_timeout / 2);
  const Receiver::Arrival arrival = receiver_.take(frame.chunk);
  if (arrival == Receiver::Arrival::outside) return drop(Drop::unexpected);
  if (arrival == Receiver::Arrival::duplicate) {
    acknowledge_now_ = true;
    return drop(Drop::duplicate);
  }
  snapshots_.read(frame.chunk, frame.data);
  progressed_ = now;
  unacknowledged_ = static_cast<std::uint8_t>(std::min(unacknowledged_ + 1, 255));
  const int every = traits_.reliable ? acknowledge_every(sender_.window()) : kAcknowledgeEvery;
  acknowledge_now_ |= unacknowledged_ >= every || receiver_.acknowledgement(0).bitmap != 0;
  if (!receiver_.complete()) return;
  acknowledge_now_ = true;
  if (initiator_) {
    decide(now);
  } else {
    stage(now);
  }
}

void Exchange::receive_acknowledgement(const codec::Frame& frame, Time now) {
  if (frame.acknowledgement->block != block() || attempt_in(frame) != attempt_) return drop(Drop::duplicate);
  const std::uint32_t held = sender_.held();
  if (!sender_.acknowledge(frame.acknowledgement->next, frame.acknowledgement->bitmap, now))
    drop(Drop::malformed);
  if (sender_.held() != held) progressed_ = now;
}

void Exchange::receive_ready(const codec::Frame& frame, Time now) {
  if (!initiator_) return drop(Drop::unexpected);
  const std::uint32_t ordinal = ordinal_of(frame.block);
  if (ordinal > ordinal_) return drop(Drop::unexpected);
  if (ordinal < ordinal_) {
    owed_commit_ = static_cast<std::uint16_t>((first_ + ordinal_ - 1) % blocks_);
    return drop(Drop::duplicate);
  }
  if (attempt_in(frame) != attempt_) {
    owes_again_ |= asks_again_;
    return drop(attempt_in(frame) < attempt_ ? Drop::duplicate : Drop::unexpected);
  }
  if (frame.acknowledgement) receive_acknowledgement(frame, now);
  ready_ = frame.checksums;
  // If chunks are missing, the responder must at least know that it was heard. Over a stream it need not ask.
  acknowledge_now_ |= !traits_.reliable;
  decide(now);
}

// The initiator has read our points wrong, and we have read its own right: what is staged stays, for its next attempt.
void Exchange::receive_again(const codec::Frame& frame, Time now) {
  const bool mine = !initiator_ && phase_ == Phase::prepared && ordinal_of(frame.block) == ordinal_;
  if (!mine || snapshots_.spoken().bits == 0) return drop(Drop::unexpected);
  if (attempt_in(frame) <= attempt_) return drop(Drop::duplicate);
  // The last attempt begins with STATE.
  if (attempt_in(frame) != attempt_ + 1 || attempt_ + 2 == kAttempts) return drop(Drop::unexpected);
  attempt_ = attempt_in(frame);
  count(metrics_.retries);
  speak();
  progressed_ = now;
  repeat_at_ = now;
}

void Exchange::receive_commit(const codec::Frame& frame, Time now) {
  if (initiator_) return drop(Drop::unexpected);
  const bool decided = ordinal_of(frame.block) == ordinal_ && attempt_in(frame) == attempt_;
  if (phase_ == Phase::prepared && decided) return commit(now);
  drop(ordinal_of(frame.block) < ordinal_ ? Drop::duplicate : Drop::unexpected);
}

void Exchange::receive_abort(const codec::Frame& frame, Time now) {
  const std::uint32_t ordinal = ordinal_of(frame.block);
  if (ordinal < ordinal_) return drop(Drop::duplicate);
  // An initiator that gives up a later block has decided this one.
  if (phase_ == Phase::prepared && ordinal == ordinal_ + 1) commit(now);
  // An initiator that knows nothing of an exchange may have forgotten what it decided.
  if (phase_ == Phase::prepared && frame.code == static_cast<std::uint8_t>(Ending::unknown))
    count(metrics_.in_doubt);
  // Nobody can judge a block that has not left yet.
  if (frame.code == static_cast<std::uint8_t>(Ending::refused) && speaking_ && sender_.all_sent())
    learner_.was_refused();
  end(false, now);
}

// --- the block's end

void Exchange::stage(Time now) {
  ready_ = {.initiator = snapshots_.their_checksum(), .responder = snapshots_.own_checksum()};
  if (const Refusal refusal = judge(); refusal != Refusal::none) return refuse(refusal, now);
  phase_ = Phase::prepared;
  repeats_ = sender_.path();
  repeat_at_ = now;
}

void Exchange::decide(Time now) {
  if (!ready_ || !receiver_.complete()) return;
  const bool own_wrong = ready_->initiator != snapshots_.own_checksum();
  const bool theirs_wrong = ready_->responder != snapshots_.their_checksum();
  const bool same = !own_wrong && !theirs_wrong;
  if (!same && try_again(own_wrong, theirs_wrong)) return;
  const Refusal refusal = same ? judge() : Refusal::checksum;
  if (refusal != Refusal::none) return refuse(refusal, now);

  owed_commit_ = block();
  decided_attempt_ = attempt_;
  apply(now);
  if (ordinal_ < blocks_) return begin_block();
  reply(codec::Kind::commit, 0, *owed_commit_);
  owed_commit_.reset();
  end(true, now);
}

// Points that were reduced may have been read wrong; raw ones can not. Only what was read wrong crosses again.
bool Exchange::try_again(bool own_wrong, bool theirs_wrong) {
  const std::uint8_t own = snapshots_.spoken().bits;
  const std::uint8_t theirs = snapshots_.heard_encoding().bits;
  if ((own == 0 && theirs == 0) || attempt_ + 1 >= kAttempts) return false;
  const auto most = [](std::uint8_t bits) { return bits == 0 || bits >= lattice::kMostBits; };
  const bool raw = attempt_ + 2 >= kAttempts || (own_wrong && most(own)) || (theirs_wrong && most(theirs));
  attempt_ = raw ? kAttempts - 1 : static_cast<std::uint8_t>(attempt_ + 1);
  count(metrics_.retries);
  if (raw) {
    begin_attempt();
    return true;
  }
  if (theirs_wrong) {
    snapshots_.forget_theirs();
    receiver_.begin(1);
  }
  asks_again_ = owes_again_ = !own_wrong;
  if (own_wrong) {
    Encoding more = encoding();
    more.again = theirs_wrong;
    sender_.begin(snapshots_.speak(more, steps_));
  } else {
    sender_.finish();  // READY has said so
  }
  begin_crossing();
  return true;
}

// Points become the gap, unless they are to be adopted. A responder does not know yet whether it has read them right.
Refusal Exchange::judge() {
  const Stretch here = stretch();
  if (weight_ == Weight::none) return Refusal::none;
  if (snapshots_.floats()) return learner_.judge(here, snapshots_.own_floats(), snapshots_.their_floats());
  if (weight_ != Weight::whole) snapshots_.settle();
  return learner_.judge(here, weight_ == Weight::whole ? 0 : snapshots_.distance(),
                        snapshots_.within(config_.guarding.limit), initiator_);
}

// The initiator has found that both sides had read right.
void Exchange::remember_distance() {
  if (snapshots_.floats() || weight_ != Weight::half) return;
  static_cast<void>(learner_.judge(stretch(), snapshots_.distance(), true, true));
}

void Exchange::commit(Time now) {
  remember_distance();
  apply(now);
  if (ordinal_ == blocks_) return end(true, now);
  phase_ = Phase::moving;
  begin_block();
}

// Record and model change together; a checkpoint holds both or neither.
void Exchange::apply(Time now) {
  const Stretch here = stretch();
  const std::uint16_t applied = block();
  ++ordinal_;
  remember(now);
  const std::size_t saturated = merge(here);
  count(metrics_.saturated, saturated);
  count(metrics_.blocks_applied);
  if (has(Part::diagnosis) && config_.observer.function != nullptr) {
    config_.observer.function(config_.observer.context, {.exchange = name_,
                                                         .block = applied,
                                                         .offset = static_cast<std::uint32_t>(here.offset),
                                                         .length = static_cast<std::uint32_t>(here.length),
                                                         .initiator = initiator_,
                                                         .last = ordinal_ == blocks_,
                                                         .weight = value_of(weight_),
                                                         .numeric = snapshots_.numeric(),
                                                         .partner = their_numeric_,
                                                         .lattice = !snapshots_.floats(),
                                                         .saturated = static_cast<std::uint32_t>(saturated)});
  }
  if (counted_) return;
  counted_ = true;
  learner_.meet_counter(counter_mine_, counter_theirs_, weight_, !initiator_);
}

// Only of a partner that is neither fresh nor astray, nor this agent itself, the distance says what is to be expected.
std::size_t Exchange::merge(Stretch here) {
  std::size_t saturated = 0;
  if (snapshots_.floats())
    learner_.merge(here, snapshots_.own_floats(), snapshots_.their_floats(), weight_);
  else if (weight_ != Weight::none)
    learner_.each_model([&](const Model& model) {
      saturated += weight_ == Weight::whole ? snapshots_.adopt(model) : snapshots_.move(model);
    });
  if (steps_.quantises() && weight_ == Weight::half) snapshots_.observe(steps_);
  return saturated;
}

// For longer than the responder may be in doubt.
void Exchange::remember(Time now) {
  finished_.remember({.name = name_,
                      .offer = nonce_i_,
                      .until = now + 2 * config_.timing.in_doubt,
                      .blocks = blocks_,
                      .decided = ordinal_,
                      .first = first_,
                      .role = initiator_ ? Role::initiator : Role::responder},
                     now);
}

void Exchange::refuse(Refusal refusal, Time now) {
  count(metrics_.refused[static_cast<std::size_t>(refusal)]);
  if (refusal == Refusal::too_far) learner_.has_refused();
  abort(Ending::refused);
  end(false, now);
}

void Exchange::end(bool complete, Time now) {
  if (complete && weight_ != Weight::none) learner_.has_moved();
  ++(complete ? metrics_.completed : metrics_.cut_short);
  count(metrics_.retransmissions, sender_.retransmissions());
  remember(now);
  owed_commit_.reset();
  phase_ = Phase::idle;
}

void Exchange::abort(Ending ending) {
  reply(codec::Kind::abort, static_cast<std::uint8_t>(ending), block());
}

void Exchange::reply(codec::Kind kind, std::uint8_t code, std::uint16_t block) {
  const Reply last{.to = peer_, .kind = kind, .code = code, .block = block, .exchange = name_ | attempt_};
  if (!replies_.push(last)) drop(Drop::no_room);
}

// --- what leaves

// To hear the partner is not enough: two agents that hear each other may yet get nowhere, and a hostile one could hold
// others up for ever. Every block has to end, too.
Time Exchange::patience_ends() const {
  const Timing& timing = config_.timing;
  if (phase_ == Phase::offering) return heard_ + timing.offer;
  if (phase_ == Phase::prepared) return progressed_ + timing.in_doubt;
  return earlier(progressed_ + timing.idle, block_ends_);
}

// Ends what has waited too long; true if it did.
bool Exchange::expire(Time now) {
  if (!patience_ends().reached(now)) return false;
  if (phase_ == Phase::moving) abort(Ending::timed_out);
  give_up(now);
  return true;
}

void Exchange::give_up(Time now) {
  if (phase_ == Phase::offering) return withdraw();
  if (phase_ == Phase::prepared) count(metrics_.in_doubt);
  end(false, now);
}

// A responder that has said READY does not slow down as others do: until it knows, it can do nothing else.
void Exchange::repeat_later(Time now) {
  const std::uint32_t most =
      phase_ == Phase::prepared ? config_.timing.in_doubt / kAsksInDoubt : config_.timing.most_timeout;
  repeat_at_ = now + spread_wait(std::min(repeats_.timeout(), most), random_, 1);
  repeats_.expired();
}

bool Exchange::write(codec::Frame& frame, std::span<std::byte> room, Time now) {
  if (idle() || expire(now)) return false;
  frame.exchange = name_ | attempt_;
  frame.block = block();
  if (!confirmed_ && repeat_due(now)) {
    repeat_later(now);
    frame.kind = initiator_ ? codec::Kind::offer : codec::Kind::accept;
    frame.exchange = nonce_i_;
    frame.handshake = plan_;
    return true;
  }
  if (!may_speak()) return false;
  if (owed_commit_) {
    frame.kind = codec::Kind::commit;
    frame.exchange = name_ | decided_attempt_;
    frame.block = *owed_commit_;
    owed_commit_.reset();
    return true;
  }
  if (owes_again_) {
    frame.kind = codec::Kind::again;
    owes_again_ = false;
    return true;
  }
  const bool due = unacknowledged_ > 0 && (acknowledge_now_ || acknowledge_at_.reached(now));
  if (unacknowledged_ > 0 || acknowledge_now_) frame.acknowledgement = receiver_.acknowledgement(block());
  if (phase_ == Phase::prepared && repeat_due(now)) {
    repeat_later(now);
    frame.kind = codec::Kind::ready;
    frame.checksums = *ready_;
  } else if (const auto index = sender_.next(now)) {
    frame.kind = codec::Kind::state;
    frame.chunk = *index;
    frame.data = snapshots_.write(*index, room);
  } else if (due || acknowledge_now_) {
    frame.kind = codec::Kind::ack;
  } else {
    return false;
  }
  unacknowledged_ = 0;
  acknowledge_now_ = false;
  return true;
}

Time Exchange::deadline(Time now) const {
  Time due = patience_ends();
  if (!confirmed_) due = earlier(due, repeat_at_);
  if (!may_speak()) return due;
  if (owed_commit_ || owes_again_ || acknowledge_now_) return now;
  if (phase_ == Phase::prepared) due = earlier(due, repeat_at_);
  if (unacknowledged_ > 0) due = earlier(due, acknowledge_at_);
  if (const auto chunk_due = sender_.deadline(now)) due = earlier(due, *chunk_due);
  return due;
}

}  // namespace popsgd
