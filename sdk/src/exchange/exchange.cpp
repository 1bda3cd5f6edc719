#include "exchange/exchange.h"

#include "codec/codec.h"
#include "codec/seal.h"
#include "numeric/crc32c.h"

#include <popsgd/assert.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace popsgd {
namespace {

static_assert(std::endian::native == std::endian::little, "parameters travel as they lie in memory");

// Arrivals after which an acknowledgement is not put off any longer (RFC 5681, section 4.2).
constexpr std::uint8_t kAcknowledgeEvery = 2;

// How often a responder asks at least before it gives its half up: with half of all frames lost it then remains in
// doubt once in 0.75^-32 = 10,000 times.
constexpr std::uint32_t kAsksInDoubt = 32;

// How far this side moves towards its partner.
float weight(codec::Standing mine, codec::Standing theirs) {
  if (mine == theirs) return 0.5F;
  if (mine < theirs) return 0;
  return mine == codec::Standing::fresh ? 1.0F : 0.5F;
}

std::uint32_t checksum(ConstParams values) {
  return numeric::crc32c(std::as_bytes(values));
}

std::uint32_t parameters_per_chunk(std::uint16_t mtu) {
  return static_cast<std::uint32_t>((mtu - codec::kStateOverhead - codec::kSeal) / sizeof(float));
}

// Parameters of a block whose chunks can all be numbered.
std::uint64_t longest_block(std::uint16_t mtu) {
  return std::uint64_t{codec::kMostChunks - 1} * parameters_per_chunk(mtu);
}
bool addressable(const codec::Handshake& plan) {
  return std::min(plan.block_length, plan.parameters) <= longest_block(plan.mtu);
}

}  // namespace

codec::Handshake Exchange::handshake(LinkTraits traits) const {
  return {.nonce = 0,
          .fingerprint = config_.fingerprint,
          .counter = learner_.counter().bits(),
          .parameters = static_cast<std::uint32_t>(learner_.model().size()),
          .block_length = static_cast<std::uint32_t>(mine_.size()),
          .version = codec::kVersion,
          .mtu = std::min(config_.largest_frame, traits.mtu),
          .window = config_.window,
          .format = codec::Format::float32,
          .standing = learner_.standing()};
}

RoundTrip Exchange::path() const {
  const Timing& timing = config_.timing;
  return {timing.first_timeout, timing.least_timeout, timing.most_timeout};
}

// --- handshake

void Exchange::offer(PeerId peer, LinkTraits traits, Time now) {
  phase_ = Phase::offering;
  initiator_ = true;
  confirmed_ = false;
  peer_ = peer;
  traits_ = traits;
  began_ = heard_ = now;
  repeats_ = path();
  plan_ = handshake(traits);
  counter_mine_ = StepCounter::from_bits(plan_.counter);
  offer_anew(now);
  ++metrics_.offers;
}

void Exchange::offer_anew(Time now) {
  nonce_i_ = plan_.nonce = random_.bits64();
  repeat_at_ = now;
}

void Exchange::answer(PeerId peer, LinkTraits traits, const codec::Frame& offer, Time now) {
  const codec::Handshake& theirs = offer.handshake;
  initiator_ = false;
  peer_ = peer;
  traits_ = traits;
  plan_ = handshake(traits);
  counter_mine_ = StepCounter::from_bits(plan_.counter);
  plan_.nonce = random_.bits64();
  plan_.mtu = std::min(plan_.mtu, theirs.mtu);
  plan_.window = std::min(plan_.window, theirs.window);
  plan_.block_length = static_cast<std::uint32_t>(
      std::min<std::uint64_t>({plan_.block_length, theirs.block_length, longest_block(plan_.mtu)}));
  nonce_i_ = theirs.nonce;
  nonce_r_ = plan_.nonce;
  repeats_ = path();
  repeat_at_ = now;
  open(plan_, theirs, traits, now);
}

void Exchange::answer_again(Time now) {
  if (confirmed_) return drop(Drop::duplicate);
  repeat_at_ = now;
}

void Exchange::accepted(const codec::Frame& accept, Time now) {
  const codec::Handshake& plan = accept.handshake;
  const bool fits = plan.fingerprint == plan_.fingerprint && plan.parameters == plan_.parameters &&
                    plan.version == plan_.version && plan.format == plan_.format &&
                    plan.block_length <= plan_.block_length && plan.mtu <= plan_.mtu &&
                    plan.window <= plan_.window && addressable(plan);
  if (!fits) return drop(Drop::malformed);
  nonce_r_ = plan.nonce;
  // Karn's rule: of an offer sent more than once nobody knows which one was answered.
  if (repeats_.expiries() <= 1) repeats_.sample(static_cast<std::uint32_t>(std::max(0, now.since(began_))));
  open(plan, plan, traits_, now);
  confirmed_ = true;
}

void Exchange::open(const codec::Handshake& plan, const codec::Handshake& theirs, LinkTraits traits,
                    Time now) {
  ++metrics_.begun;
  phase_ = Phase::moving;
  name_ = name_of(nonce_i_, nonce_r_);
  block_length_ = std::min(plan.block_length, plan.parameters);
  blocks_ = block_count(plan);
  chunk_length_ = parameters_per_chunk(plan.mtu);
  first_ = first_block(name_, blocks_);
  ordinal_ = 0;
  began_ = heard_ = now;
  confirmed_ = counted_ = false;
  owed_commit_.reset();
  learner_.begin_exchange(initiator_);
  weight_ = weight(plan_.standing, theirs.standing);
  sender_.connect({std::min<std::uint16_t>(plan.window, kMostInFlight), traits.reliable}, repeats_);

  const bool blocking = config_.averaging == Averaging::blocking;
  if (!blocking) begin_block();
  for (std::uint16_t k = 0; k < config_.local_steps; ++k) static_cast<void>(learner_.step());
  if (blocking) begin_block();
  counter_theirs_ = StepCounter::from_bits(theirs.counter);
}

void Exchange::begin_block() {
  const Stretch here = stretch();
  learner_.snapshot(here, mine_);
  const auto chunks = static_cast<std::uint16_t>((here.length + chunk_length_ - 1) / chunk_length_);
  sender_.begin(chunks);
  receiver_.begin(chunks);
  ready_.reset();
  progressed_ = heard_;
  constexpr std::uint64_t kHalfDay = std::uint64_t{12} * 3600 * 1000;
  const std::uint64_t crossing = std::uint64_t{1000} * here.length * sizeof(float) / config_.timing.slowest;
  block_ends_ = heard_ + config_.timing.idle + static_cast<std::uint32_t>(std::min(crossing, kHalfDay));
  unacknowledged_ = 0;
  acknowledge_now_ = false;
}

Stretch Exchange::stretch() const {
  const std::size_t offset = std::size_t{block()} * block_length_;
  return {offset, std::min<std::size_t>(block_length_, learner_.model().size() - offset)};
}

std::span<const std::byte> Exchange::chunk(std::uint16_t index) const {
  const ConstParams values = mine_.first(stretch().length);
  const std::size_t start = std::size_t{index} * chunk_length_;
  return std::as_bytes(values.subspan(start, std::min<std::size_t>(chunk_length_, values.size() - start)));
}

// --- what arrives

void Exchange::receive(const codec::Frame& frame, Time now, std::optional<Reply>& reply) {
  if (frame.kind != codec::Kind::ack && frame.block >= blocks_) return drop(Drop::malformed);
  heard_ = now;
  confirmed_ = true;
  switch (frame.kind) {
    case codec::Kind::state:
      return receive_state(frame, now, reply);
    case codec::Kind::ack:
      return receive_acknowledgement(frame, now);
    case codec::Kind::ready:
      return receive_ready(frame, now, reply);
    case codec::Kind::commit:
      return receive_commit(frame, now);
    case codec::Kind::abort:
      return receive_abort(frame, now);
    default:
      return drop(Drop::unexpected);
  }
}

void Exchange::receive_state(const codec::Frame& frame, Time now, std::optional<Reply>& reply) {
  const std::uint32_t ordinal = ordinal_of(frame.block);
  // An initiator only goes on to the next block when it has decided this one.
  if (phase_ == Phase::prepared && ordinal == ordinal_ + 1) commit(now);
  if (ordinal != ordinal_) return drop(ordinal < ordinal_ ? Drop::duplicate : Drop::unexpected);
  if (frame.acknowledgement) receive_acknowledgement(frame, now);
  arrived(frame, now, reply);
}

void Exchange::arrived(const codec::Frame& frame, Time now, std::optional<Reply>& reply) {
  const Params block = theirs_.first(stretch().length);
  const std::size_t start = std::size_t{frame.chunk} * chunk_length_;
  if (start >= block.size()) return drop(Drop::malformed);
  const Params place = block.subspan(start, std::min<std::size_t>(chunk_length_, block.size() - start));
  if (frame.data.size() != place.size_bytes()) return drop(Drop::malformed);

  if (unacknowledged_ == 0) acknowledge_at_ = now + config_.timing.least_timeout / 2;
  const Receiver::Arrival arrival = receiver_.take(frame.chunk);
  if (arrival == Receiver::Arrival::outside) return drop(Drop::unexpected);
  if (arrival == Receiver::Arrival::duplicate) {
    acknowledge_now_ = true;
    return drop(Drop::duplicate);
  }
  std::memcpy(place.data(), frame.data.data(), frame.data.size());
  progressed_ = now;
  unacknowledged_ = static_cast<std::uint8_t>(std::min(unacknowledged_ + 1, 255));
  acknowledge_now_ |= unacknowledged_ >= kAcknowledgeEvery || receiver_.acknowledgement(0).bitmap != 0;
  if (!receiver_.complete()) return;
  acknowledge_now_ = true;
  if (initiator_) {
    decide(now, reply);
  } else {
    stage(now, reply);
  }
}

void Exchange::receive_acknowledgement(const codec::Frame& frame, Time now) {
  if (frame.acknowledgement->block != block()) return drop(Drop::duplicate);
  const std::uint32_t held = sender_.held();
  if (!sender_.acknowledge(frame.acknowledgement->next, frame.acknowledgement->bitmap, now))
    drop(Drop::malformed);
  if (sender_.held() != held) progressed_ = now;
}

void Exchange::receive_ready(const codec::Frame& frame, Time now, std::optional<Reply>& reply) {
  if (!initiator_) return drop(Drop::unexpected);
  const std::uint32_t ordinal = ordinal_of(frame.block);
  if (ordinal > ordinal_) return drop(Drop::unexpected);
  if (ordinal < ordinal_) {
    owed_commit_ = static_cast<std::uint16_t>((first_ + ordinal_ - 1) % blocks_);
    return drop(Drop::duplicate);
  }
  if (frame.acknowledgement) receive_acknowledgement(frame, now);
  ready_ = frame.checksums;
  acknowledge_now_ = true;  // if chunks are missing, the responder must at least know that it was heard
  decide(now, reply);
}

void Exchange::receive_commit(const codec::Frame& frame, Time now) {
  if (initiator_) return drop(Drop::unexpected);
  if (phase_ == Phase::prepared && ordinal_of(frame.block) == ordinal_) return commit(now);
  drop(ordinal_of(frame.block) < ordinal_ ? Drop::duplicate : Drop::unexpected);
}

void Exchange::receive_abort(const codec::Frame& frame, Time now) {
  const std::uint32_t ordinal = ordinal_of(frame.block);
  if (ordinal < ordinal_) return drop(Drop::duplicate);
  // An initiator that gives up a later block has decided this one.
  if (phase_ == Phase::prepared && ordinal == ordinal_ + 1) commit(now);
  // An initiator that knows nothing of an exchange may have forgotten what it decided.
  if (phase_ == Phase::prepared && frame.code == static_cast<std::uint8_t>(Ending::unknown))
    ++metrics_.in_doubt;
  // Nobody can judge a block that has not left yet.
  if (frame.code == static_cast<std::uint8_t>(Ending::refused) && sender_.all_sent()) learner_.was_refused();
  end(false, now);
}

// --- the block's end

void Exchange::stage(Time now, std::optional<Reply>& reply) {
  const Stretch here = stretch();
  const ConstParams mine = mine_.first(here.length);
  const ConstParams theirs = theirs_.first(here.length);
  const Refusal refusal = weight_ == 0 ? Refusal::none : learner_.judge(here, mine, theirs);
  if (refusal != Refusal::none) return refuse(refusal, now, reply);
  ready_ = {.initiator = checksum(theirs), .responder = checksum(mine)};
  phase_ = Phase::prepared;
  repeats_ = sender_.path();
  repeat_at_ = now;
}

void Exchange::decide(Time now, std::optional<Reply>& reply) {
  if (!ready_ || !receiver_.complete()) return;
  const Stretch here = stretch();
  const ConstParams mine = mine_.first(here.length);
  const ConstParams theirs = theirs_.first(here.length);
  const bool same = *ready_ == codec::Checksums{.initiator = checksum(mine), .responder = checksum(theirs)};
  Refusal refusal = same ? Refusal::none : Refusal::checksum;
  if (refusal == Refusal::none && weight_ != 0) refusal = learner_.judge(here, mine, theirs);
  if (refusal != Refusal::none) return refuse(refusal, now, reply);

  owed_commit_ = block();
  apply(now);
  if (ordinal_ < blocks_) return begin_block();
  reply = Reply{.to = peer_, .kind = codec::Kind::commit, .block = *owed_commit_, .exchange = name_};
  owed_commit_.reset();
  end(true, now);
}

void Exchange::commit(Time now) {
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
  learner_.merge(here, mine_.first(here.length), theirs_.first(here.length), weight_);
  ++metrics_.blocks_applied;
  if (config_.observer.function != nullptr) {
    config_.observer.function(config_.observer.context, {.exchange = name_,
                                                         .block = applied,
                                                         .offset = static_cast<std::uint32_t>(here.offset),
                                                         .length = static_cast<std::uint32_t>(here.length),
                                                         .initiator = initiator_,
                                                         .last = ordinal_ == blocks_,
                                                         .weight = weight_});
  }
  if (counted_) return;
  counted_ = true;
  learner_.meet_counter(counter_mine_, counter_theirs_, weight_, !initiator_);
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

void Exchange::refuse(Refusal refusal, Time now, std::optional<Reply>& reply) {
  ++metrics_.refused[static_cast<std::size_t>(refusal)];
  if (refusal == Refusal::too_far) learner_.has_refused();
  reply = abort(Ending::refused);
  end(false, now);
}

void Exchange::end(bool complete, Time now) {
  if (complete && weight_ != 0) learner_.has_moved();
  ++(complete ? metrics_.completed : metrics_.cut_short);
  metrics_.retransmissions += sender_.retransmissions();
  remember(now);
  owed_commit_.reset();
  phase_ = Phase::idle;
}

Reply Exchange::abort(Ending ending) const {
  return {.to = peer_,
          .kind = codec::Kind::abort,
          .code = static_cast<std::uint8_t>(ending),
          .block = block(),
          .exchange = name_};
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
bool Exchange::expire(Time now, std::optional<Reply>& reply) {
  if (!patience_ends().reached(now)) return false;
  if (phase_ == Phase::offering) {
    phase_ = Phase::idle;
    return true;
  }
  if (phase_ == Phase::prepared) {
    ++metrics_.in_doubt;
  } else {
    reply = abort(Ending::timed_out);
  }
  end(false, now);
  return true;
}

// A responder that has said READY does not slow down as others do: until it knows, it can do nothing else.
void Exchange::repeat_later(Time now) {
  const std::uint32_t most =
      phase_ == Phase::prepared ? config_.timing.in_doubt / kAsksInDoubt : config_.timing.most_timeout;
  const auto wait =
      static_cast<float>(std::min(repeats_.timeout(), most)) * (0.75F + 0.5F * random_.uniform());
  repeat_at_ = now + std::max(1U, static_cast<std::uint32_t>(wait));
  repeats_.expired();
}

bool Exchange::write(codec::Frame& frame, Time now, std::optional<Reply>& reply) {
  if (idle() || expire(now, reply)) return false;
  frame = {.kind = codec::Kind::offer, .exchange = name_, .block = block()};
  if (!confirmed_ && repeat_due(now)) {
    repeat_later(now);
    frame = {.kind = initiator_ ? codec::Kind::offer : codec::Kind::accept,
             .exchange = nonce_i_,
             .handshake = plan_};
    return true;
  }
  if (phase_ == Phase::offering || !confirmed_) return false;
  if (owed_commit_) {
    frame.kind = codec::Kind::commit;
    frame.block = *owed_commit_;
    owed_commit_.reset();
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
    frame.data = chunk(*index);
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
  if (!confirmed_) return earlier(due, repeat_at_);
  if (owed_commit_ || acknowledge_now_) return now;
  if (phase_ == Phase::prepared) due = earlier(due, repeat_at_);
  if (unacknowledged_ > 0) due = earlier(due, acknowledge_at_);
  if (const auto chunk_due = sender_.deadline(now)) due = earlier(due, *chunk_due);
  return due;
}

}  // namespace popsgd
