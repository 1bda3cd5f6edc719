#include "codec/codec.h"
#include "codec/seal.h"
#include "exchange/exchange.h"
#include "exchange/finished.h"
#include "exchange/learner.h"
#include "exchange/records.h"
#include "exchange/replies.h"
#include "exchange/snapshots.h"
#include "exchange/steps.h"
#include "exchange/waits.h"

#include <popsgd/agent.h>
#include <popsgd/assert.h>
#include <popsgd/checkpoint.h>
#include <popsgd/lattice/encoding.h>
#include <popsgd/parts.h>
#include <popsgd/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

namespace popsgd {
namespace {

struct Peer {
  PeerId id{};
  LinkTraits traits{};
  Time welcome{};  // may begin an exchange from then on; 0: has not tried yet
};

constexpr std::uint32_t kDay = 24U * 3600U * 1000U;

constexpr std::size_t kAlignment = 8;

constexpr std::uint16_t kWidest = 32;  // window, with Part::window
static_assert(kMostInFlight == kWidest || !has(Part::window));

// Where everything lies in the workspace.
struct Layout {
  std::size_t records;  // these six lie end to end, as a checkpoint holds them
  std::size_t finished;
  std::size_t gates;
  std::size_t estimates;
  std::size_t account;  // with privacy; and the model as it is shown
  std::size_t shown;
  std::size_t peers;
  std::size_t scales;
  std::size_t mine;
  std::size_t theirs;
  std::size_t sightings;
  std::size_t trainer;
  std::size_t end;
  std::size_t block_length;
  std::size_t block_count;
  std::size_t gate_count;  // one for each block, or none
  std::size_t estimate_count;
  std::size_t scale_count;
  std::size_t sightings_count;
};

static_assert(sizeof(FixedTrainer<std::int16_t>) == sizeof(FixedTrainer<std::int8_t>));

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

Layout layout_of(const AgentConfig& config, std::size_t parameters, std::size_t tensors, Numeric numeric,
                 std::size_t state) {
  Layout at{};
  at.block_length =
      config.block_length == 0 ? parameters : std::min<std::size_t>(config.block_length, parameters);
  at.block_count = (parameters + at.block_length - 1) / at.block_length;
  at.gate_count = has(Part::gate) ? at.block_count : 0;
  at.records = aligned(state);
  at.finished = at.records + sizeof(Records);
  at.gates = at.finished + config.finished * sizeof(FinishedExchange);
  at.estimate_count = Steps::count(at.block_count, tensors);
  at.scale_count = std::min(tensors, at.block_length);
  at.estimates = at.gates + at.gate_count * sizeof(Gate);
  at.account = at.estimates + aligned(at.estimate_count * sizeof(lattice::StepEstimate));
  const bool accounted = privacy_of(config) != nullptr;
  at.shown = at.account + (accounted ? sizeof(double) : 0);
  at.peers = at.shown + (accounted ? aligned(parameters * sizeof(float)) : 0);
  at.scales = at.peers + aligned(config.peers * sizeof(Peer));
  at.mine = at.scales + aligned(at.scale_count * sizeof(Scale));
  at.theirs = at.mine + aligned(at.block_length * sizeof(float));
  at.sightings = at.theirs + aligned(at.block_length * sizeof(float));
  at.sightings_count = held(Numeric::float32) && at.block_count == 1 && numeric == Numeric::float32 ? 1 : 0;
  at.trainer = at.sightings + aligned(at.sightings_count * sizeof(Sightings));
  at.end = at.trainer + (numeric == Numeric::float32 ? sizeof(Held<FloatTrainer>)
                                                     : sizeof(Held<FixedTrainer<std::int16_t>>));
  return at;
}

// `count` values that begin their lives in the workspace.
template <typename T>
std::span<T> place(std::span<std::byte> workspace, std::size_t offset, std::size_t count) {
  T* first = reinterpret_cast<T*>(workspace.data() + offset);
  for (std::size_t k = 0; k < count; ++k) std::construct_at(first + k);
  return {first, count};
}

Sightings* place_sightings(std::span<std::byte> workspace, const Layout& layout, std::uint64_t seed) {
  if (!held(Numeric::float32) || layout.sightings_count == 0) return nullptr;
  return std::construct_at(reinterpret_cast<Sightings*>(workspace.data() + layout.sightings),
                           static_cast<std::uint32_t>(seed) | 1U);
}

// The model as others may know it.
const Model& place_shown(std::span<std::byte> workspace, const Layout& layout, const AgentConfig& config,
                         const Model& model) {
  Privacy* privacy = privacy_of(config);
  if (privacy == nullptr) return model;
  place<double>(workspace, layout.account, 1);
  privacy->begin(model, place<float>(workspace, layout.shown, model.size()));
  return privacy->shown();
}

Status check(const AgentConfig& config, std::size_t parameters) {
  const Timing& t = config.timing;
  const bool sizes = parameters > 0 && parameters <= UINT32_MAX && config.window >= 1 &&
                     config.window <= kWidest && config.largest_frame >= 256 && config.finished >= 1 &&
                     config.peers >= 1;
  if (!sizes) return Status::invalid_size;
  const bool times = t.first_timeout > 0 && t.least_timeout > 0 && t.most_timeout >= t.least_timeout &&
                     t.most_timeout <= kDay && t.offer > 0 && t.offer <= kDay && t.idle > 0 &&
                     t.in_doubt >= t.idle && t.in_doubt <= kDay / 2 && config.mean_wait <= kDay / 32 &&
                     config.peer_interval <= kDay;
  if (!times || t.slowest == 0) return Status::invalid_rate;
  const std::size_t block = config.block_length == 0 ? parameters : config.block_length;
  if ((parameters + block - 1) / block > 65536) return Status::invalid_size;
  const Quantisation& q = config.quantise;
  const bool bits = q.bits >= lattice::kFewestBits && q.bits <= lattice::kMostBits;
  if (q.width > Width::fixed || (q.width == Width::fixed && !bits)) return Status::invalid_size;
  const bool left_out = (config.guarding.gate && !has(Part::gate)) || (q.rotate && !has(Part::rotation)) ||
                        config.window > kMostInFlight ||
                        (config.observer.function != nullptr && !has(Part::diagnosis));
  if (left_out) return Status::unknown_format;
  if constexpr (!held(Numeric::float32)) return Status::ok;
  if (!(config.guarding.limit > 0)) return Status::invalid_rate;
  if (config.privacy != nullptr && config.privacy->check() != Status::ok) return Status::invalid_rate;
  if (const Status status = config.sgd.check(); status != Status::ok) return status;
  return config.schedule.check();
}

}  // namespace

struct Agent::State {
  /// make(place, config) makes the trainer, of a kind that is held.
  template <typename Make>
  State(const Layout& layout, const AgentConfig& configuration, const Model& held, Make make,
        std::span<std::byte> workspace, Time now)
      : records(place<Records>(workspace, layout.records, 1)[0]),
        saved(workspace.subspan(layout.records).first(layout.peers - layout.records)),
        finished(place<FinishedExchange>(workspace, layout.finished, configuration.finished)),
        peers(place<Peer>(workspace, layout.peers, configuration.peers)),
        model(held),
        random(configuration.seed, Purpose::exchange),
        config(configuration),
        learner(config, model, *make(workspace.data() + layout.trainer, config),
                place<Gate>(workspace, layout.gates, layout.gate_count), layout.block_length,
                place_sightings(workspace, layout, config.seed)),
        exchange(config, learner,
                 Steps(config.quantise,
                       place<lattice::StepEstimate>(workspace, layout.estimates, layout.estimate_count),
                       layout.block_length),
                 finished, metrics, replies, random,
                 Snapshots(place_shown(workspace, layout, config, model), workspace.subspan(layout.mine),
                           workspace.subspan(layout.theirs),
                           place<Scale>(workspace, layout.scales, layout.scale_count)),
                 layout.block_length) {
    wait(now);
  }

  static Layout layout_for(const AgentConfig& config, const Model& model) {
    return layout_of(config, model.size(), Tensors(model).count(), model.numeric(), sizeof(State));
  }
  template <typename Make>
  static Status begin(State*& state, const AgentConfig& config, const Model& model, Make make,
                      std::span<std::byte> workspace, Time now) {
    const Layout layout = layout_for(config, model);
    const bool fits = workspace.size() >= layout.end &&
                      reinterpret_cast<std::uintptr_t>(workspace.data()) % kAlignment == 0;
    if (!fits) return Status::scratch_too_small;
    state = std::construct_at(reinterpret_cast<State*>(workspace.data()), layout, config, model, make,
                              workspace, now);
    return Status::ok;
  }
  void receive(PeerId from, std::span<const std::byte> bytes, Time now);
  // Apart from what holds the frame: on its own stack a small processor reaches no bytes directly.
  [[gnu::noinline]] void heed(PeerId from, const codec::Frame& frame, Time now);
  void receive_offer(PeerId from, const codec::Frame& frame, Time now);
  void receive_answer(PeerId from, const codec::Frame& frame, Time now);
  void receive_stray(PeerId from, const codec::Frame& frame);
  [[nodiscard]] std::uint8_t objection(const codec::Handshake& theirs) const;
  [[nodiscard]] bool withholds() const;
  void offer(const Peer& peer, Time now);
  void offer_if_due(Time now);
  void wait(Time now);
  void wait_for_busy(std::uint32_t retry, Time now);
  [[nodiscard]] std::uint32_t too_early(PeerId from, Time now) const;
  void reply(const Reply& answer);
  void drop(Drop reason) { count_drop(metrics, reason); }
  [[nodiscard]] std::span<Peer> known() const { return peers.first(peer_count); }
  [[nodiscard]] Peer* find(PeerId id) const;
  [[nodiscard]] LinkTraits traits_of(PeerId id) const;
  Status restore(Store& store, Time now);
  void describe_records();
  [[nodiscard]] double& account() const;  // with privacy: its place in what is saved

  // Small things first: see Exchange.
  std::size_t peer_count = 0;
  Time next_offer{};
  std::uint8_t busies = 0;     // in a row
  Records& records;            // up to date only while a checkpoint is made
  std::span<std::byte> saved;  // records, finished exchanges and gates
  Finished finished;
  std::span<Peer> peers;
  Model model;
  Random random;
  AgentConfig config;
  Learner learner;
  Exchange exchange;
  Replies replies{};
  AgentMetrics metrics{};
};

std::size_t Agent::workspace_size(const AgentConfig& config, std::size_t parameters, std::size_t tensors,
                                  Numeric numeric) noexcept {
  if (check(config, parameters) != Status::ok || tensors == 0) return 0;
  return layout_of(config, parameters, tensors, numeric, sizeof(State)).end;
}

Status Agent::init(const AgentConfig& config, Params model, const Gradient& gradient, BatchSource source,
                   Params velocity, Scratch scratch, std::span<std::byte> workspace, Time now) noexcept {
  return init(config, Model(model), gradient, source, velocity, scratch, workspace, now);
}

Status Agent::init(const AgentConfig& config, const Model& model, const Gradient& gradient,
                   BatchSource source, Params velocity, Scratch scratch, std::span<std::byte> workspace,
                   Time now) noexcept {
  if (const Status status = check(config, model.size()); status != Status::ok) return status;
  if (!held(Numeric::float32)) return Status::unknown_format;
  if (gradient.function == nullptr || source.function == nullptr) return Status::no_function;
  if (!model.sound() || model.integer() || gradient.parameters != model.size() ||
      velocity.size() != config.sgd.velocity_size(gradient)) {
    return Status::shape_mismatch;
  }
  if (scratch.size() < config.sgd.scratch_size(gradient)) return Status::scratch_too_small;
  const auto make = [&](std::byte* place, const AgentConfig& kept) {
    return as_held(std::construct_at(reinterpret_cast<Held<FloatTrainer>*>(place), kept, gradient, source,
                                     velocity, scratch));
  };
  return State::begin(state_, config, model, make, workspace, now);
}

template <typename Weight>
Status Agent::init_fixed(const AgentConfig& config, const Model& model, const FixedGradient<Weight>& gradient,
                         FixedBatchSource source, const FixedSchedule& schedule,
                         std::span<std::int32_t> scratch, std::span<std::byte> workspace, Time now) noexcept {
  if (const Status status = check(config, model.size()); status != Status::ok) return status;
  if (config.privacy != nullptr) return Status::private_integers;
  if (const Status status = schedule.check(); status != Status::ok) return status;
  if (!held(sizeof(Weight) == 2 ? Numeric::int16 : Numeric::int8)) return Status::unknown_format;
  if (gradient.function == nullptr || source.function == nullptr) return Status::no_function;
  if (!model.sound() || gradient.parameters != model.size()) return Status::shape_mismatch;
  if (scratch.size() < gradient.scratch) return Status::scratch_too_small;
  const auto make = [&](std::byte* place, const AgentConfig& kept) {
    return as_held(std::construct_at(reinterpret_cast<Held<FixedTrainer<Weight>>*>(place), kept.seed,
                                     gradient, source, schedule, scratch));
  };
  return State::begin(state_, config, model, make, workspace, now);
}

Status Agent::init(const AgentConfig& config, std::span<std::int16_t> model, std::span<const Tensor> layout,
                   const FixedGradient<std::int16_t>& gradient, FixedBatchSource source,
                   const FixedSchedule& schedule, std::span<std::int32_t> scratch,
                   std::span<std::byte> workspace, Time now) noexcept {
  return init_fixed(config, Model(model, layout), gradient, source, schedule, scratch, workspace, now);
}

Status Agent::init(const AgentConfig& config, std::span<std::int8_t> model, std::span<const Tensor> layout,
                   const FixedGradient<std::int8_t>& gradient, FixedBatchSource source,
                   const FixedSchedule& schedule, std::span<std::int32_t> scratch,
                   std::span<std::byte> workspace, Time now) noexcept {
  return init_fixed(config, Model(model, layout), gradient, source, schedule, scratch, workspace, now);
}

// --- local steps

Result<float> Agent::step() noexcept {
  const bool blocked = state_->config.averaging == Averaging::blocking && exchanging();
  if (blocked || state_->learner.stepping()) return Status::busy;
  if (const Status status = state_->learner.step(); status != Status::ok) return status;
  return state_->learner.loss();
}

Status Agent::begin_step(SideStep& aside) noexcept {
  const bool at_exchanges = state_->config.averaging == Averaging::blocking || state_->config.local_steps > 0;
  if (at_exchanges || state_->learner.stepping()) return Status::busy;
  if (aside.memory_.size() < SideStep::size(state_->model.size(), state_->model.numeric()))
    return Status::scratch_too_small;
  return state_->learner.begin_step(aside);
}

float Agent::work(SideStep& aside) noexcept {
  return state_->learner.work(aside);
}

void Agent::end_step(const SideStep& aside) noexcept {
  state_->learner.end_step(aside);
}

// --- peers

Status Agent::add_peer(PeerId id, LinkTraits traits) noexcept {
  if (traits.mtu < 256) return Status::invalid_size;
  if (Peer* peer = state_->find(id)) {
    peer->traits = traits;
    return Status::ok;
  }
  if (state_->peer_count == state_->peers.size()) return Status::no_room;
  state_->peers[state_->peer_count++] = {.id = id, .traits = traits};
  return Status::ok;
}

void Agent::remove_peer(PeerId id) noexcept {
  Peer* peer = state_->find(id);
  if (peer == nullptr) return;
  *peer = state_->known().back();
  --state_->peer_count;
}

void Agent::lost_peer(PeerId id, Time now) noexcept {
  remove_peer(id);
  Exchange& exchange = state_->exchange;
  if (!exchange.idle() && exchange.peer() == id) exchange.give_up(now);
}

Peer* Agent::State::find(PeerId id) const {
  for (Peer& peer : known()) {
    if (peer.id == id) return &peer;
  }
  return nullptr;
}

// A stranger who knocks is answered as over a datagram link that carries no more than it must: the caller may have no
// room for more.
LinkTraits Agent::State::traits_of(PeerId id) const {
  const Peer* peer = find(id);
  return peer != nullptr ? peer->traits : LinkTraits{.mtu = codec::kLeastMtu};
}

// --- offers

Status Agent::meet(PeerId id, Time now) noexcept {
  const Peer* peer = state_->find(id);
  if (peer == nullptr) return Status::unknown_peer;
  if (exchanging()) return Status::busy;
  if (state_->withholds()) return Status::budget_spent;
  state_->offer(*peer, now);
  return Status::ok;
}

bool Agent::State::withholds() const {
  Privacy* privacy = privacy_of(config);
  return privacy != nullptr && !privacy->admits_exchange();
}

void Agent::State::offer(const Peer& peer, Time now) {
  exchange.offer(peer.id, peer.traits, now);
}

// Memoryless: an agent that is busy when its time comes draws another.
void Agent::State::offer_if_due(Time now) {
  if (config.mean_wait == 0 || !next_offer.reached(now)) return;
  wait(now);
  if (!exchange.idle() || peer_count == 0 || withholds()) return;
  offer(peers[random.below(static_cast<std::uint32_t>(peer_count))], now);
}

void Agent::State::wait(Time now) {
  next_offer = now + exponential_wait(config.mean_wait, random);
}

// The peer may know how long, but not for how short: each BUSY in a row doubles it. Never later than without.
void Agent::State::wait_for_busy(std::uint32_t retry, Time now) {
  if (config.mean_wait == 0) return;
  const std::uint32_t least = std::max<std::uint32_t>(1, config.timing.busy);
  const std::uint32_t limited = std::clamp(retry, least, std::max(least, config.timing.most_timeout));
  next_offer = earlier(next_offer, now + spread_wait(limited << busies, random));
  busies = std::min<std::uint8_t>(static_cast<std::uint8_t>(busies + 1), 7);
}

// --- what arrives

void Agent::receive(PeerId from, std::span<const std::byte> frame, Time now) noexcept {
  count(state_->metrics.frames_received);
  state_->metrics.bytes_received += frame.size();
  state_->receive(from, frame, now);
}

void Agent::State::receive(PeerId from, std::span<const std::byte> bytes, Time now) {
  const auto body = codec::unseal(bytes);
  if (!body) return drop(Drop::damaged);
  codec::Frame frame;
  if (codec::decode(*body, frame) != Status::ok) return drop(Drop::malformed);
  heed(from, frame, now);
}

void Agent::State::heed(PeerId from, const codec::Frame& frame, Time now) {
  switch (frame.kind) {
    case codec::Kind::offer:
      return receive_offer(from, frame, now);
    case codec::Kind::accept:
    case codec::Kind::busy:
    case codec::Kind::reject:
      return receive_answer(from, frame, now);
    default:
      break;
  }
  const bool open = !exchange.idle() && exchange.phase() != Exchange::Phase::offering;
  if (!open || name_in(frame) != exchange.name()) return receive_stray(from, frame);
  if (from != exchange.peer()) return drop(Drop::unexpected);  // whoever it is, it is not the partner
  exchange.receive(frame, now);
}

std::uint8_t Agent::State::objection(const codec::Handshake& theirs) const {
  if (theirs.version != codec::kVersion) return static_cast<std::uint8_t>(Rejection::version);
  if (theirs.fingerprint != config.fingerprint) return static_cast<std::uint8_t>(Rejection::fingerprint);
  if (theirs.parameters != model.size() || theirs.layout != exchange.layout())
    return static_cast<std::uint8_t>(Rejection::model);
  return 0;
}

void Agent::State::receive_offer(PeerId from, const codec::Frame& frame, Time now) {
  const std::uint64_t nonce = frame.exchange;
  if (nonce != frame.handshake.nonce) return drop(Drop::malformed);
  const bool offering = exchange.phase() == Exchange::Phase::offering;
  if (!exchange.idle() && exchange.offered() == nonce) {
    if (!exchange.initiator()) return exchange.answer_again(now);
    if (offering && exchange.peer() == from) exchange.offer_anew(now);
    return drop(Drop::reflected);
  }
  if (finished.knows_offer(nonce)) return drop(Drop::duplicate);
  if (const std::uint8_t code = objection(frame.handshake); code != 0) {
    drop(Drop::incompatible);
    return reply({.to = from, .kind = codec::Kind::reject, .code = code, .exchange = nonce});
  }
  // Two offers that cross become one exchange: the larger nonce's.
  const bool crossing = offering && exchange.peer() == from;
  if (crossing && nonce < exchange.offered()) return drop(Drop::unexpected);
  const bool busy = withholds() || (!exchange.idle() && !crossing);
  const std::uint32_t wait = busy ? config.timing.busy : crossing ? 0 : too_early(from, now);
  if (busy || wait > 0) {
    const auto retry = static_cast<std::uint16_t>(std::min<std::uint32_t>(wait, UINT16_MAX));
    return reply({.to = from, .kind = codec::Kind::busy, .retry_ms = retry, .exchange = nonce});
  }
  exchange.answer(from, traits_of(from), frame, now);
}

// How long the peer is to wait before it may begin its next exchange, ms; 0: it begins one. One that has come anew waits as
// one that has just exchanged: coming again gains nothing.
std::uint32_t Agent::State::too_early(PeerId from, Time now) const {
  Peer* const peer = find(from);
  if (config.peer_interval == 0 || peer == nullptr) return 0;
  const bool anew = peer->welcome == Time{};
  const std::int32_t left = peer->welcome.since(now);
  // Further ahead than an interval lies what is long past: time wraps around.
  if (!anew && left > 0 && static_cast<std::uint32_t>(left) <= config.peer_interval)
    return static_cast<std::uint32_t>(left);
  peer->welcome = now + config.peer_interval;
  return anew ? config.peer_interval : 0;
}

void Agent::State::receive_answer(PeerId from, const codec::Frame& frame, Time now) {
  const bool mine = exchange.phase() == Exchange::Phase::offering && exchange.offered() == frame.exchange &&
                    exchange.peer() == from;
  if (frame.kind == codec::Kind::accept) {
    if (mine) {
      busies = 0;
      return exchange.accepted(frame, now);
    }
    const std::uint64_t name = name_of(frame.exchange, frame.handshake.nonce);
    if (!exchange.idle() && exchange.name() == name) return drop(Drop::duplicate);
    if (finished.find(name) != nullptr) return drop(Drop::duplicate);
    drop(Drop::unknown);
    return reply({.to = from,
                  .kind = codec::Kind::abort,
                  .code = static_cast<std::uint8_t>(Ending::unknown),
                  .block = first_block(name, block_count(frame.handshake)),  // none has been decided
                  .exchange = name});
  }
  if (!mine) return drop(Drop::unknown);
  exchange.withdraw();
  if (frame.kind == codec::Kind::busy) wait_for_busy(frame.retry_ms, now);
}

// Of an exchange that is over, or never was: the peer learns what became of it.
void Agent::State::receive_stray(PeerId from, const codec::Frame& frame) {
  const FinishedExchange* past = finished.find(name_in(frame));
  drop(past != nullptr ? Drop::duplicate : Drop::unknown);
  const bool asks = frame.kind == codec::Kind::ready || frame.kind == codec::Kind::state ||
                    frame.kind == codec::Kind::again;
  if (!asks) return;
  if (past != nullptr && past->has(frame.block)) {
    if (past->role == Role::responder) return;
    return reply({.to = from, .kind = codec::Kind::commit, .block = frame.block, .exchange = frame.exchange});
  }
  if (past == nullptr && frame.kind != codec::Kind::ready) return;  // may have overtaken its ACCEPT
  reply({.to = from,
         .kind = codec::Kind::abort,
         .code = static_cast<std::uint8_t>(past != nullptr ? Ending::over : Ending::unknown),
         .block = frame.block,
         .exchange = frame.exchange});
}

void Agent::State::reply(const Reply& answer) {
  if (!replies.push(answer)) drop(Drop::no_room);
}

// --- what leaves

std::optional<Agent::Outgoing> Agent::send(std::span<std::byte> bytes, Time now) noexcept {
  State& state = *state_;
  state.finished.forget(now);
  state.offer_if_due(now);
  PeerId to = state.exchange.peer();
  codec::Frame frame;
  const auto unsealed = bytes.first(bytes.size() - std::min(bytes.size(), codec::kSeal));
  const auto room = unsealed.subspan(std::min(unsealed.size(), codec::kStateOverhead));
  if (!state.replies.empty() || !state.exchange.write(frame, room, now)) {
    if (state.replies.empty()) return {};
    const Reply& reply = state.replies.pop();
    to = reply.to;
    frame.kind = reply.kind;
    frame.exchange = reply.exchange;
    frame.block = reply.block;
    frame.retry_ms = reply.retry_ms;
    frame.code = reply.code;
  }
  const auto encoded = codec::encode(frame, unsealed);
  if (!encoded.ok()) {
    state.drop(Drop::no_room);
    return {};
  }
  const std::size_t size = codec::seal(bytes, encoded.value().size());
  count(state.metrics.frames_sent);
  state.metrics.bytes_sent += size;
  return Outgoing{to, size};
}

Time Agent::deadline(Time now) const noexcept {
  const State& state = *state_;
  if (!state.replies.empty()) return now;
  Time due = state.config.mean_wait > 0 ? state.next_offer : now + kDay;
  if (!state.exchange.idle()) due = earlier(due, state.exchange.deadline(now));
  return due;
}

// --- checkpoints

std::uint64_t Agent::checkpoint_size(const AgentConfig& config, std::size_t parameters, std::size_t tensors,
                                     Numeric numeric) noexcept {
  if (check(config, parameters) != Status::ok || tensors == 0) return 0;
  const Layout layout = layout_of(config, parameters, tensors, numeric, sizeof(State));
  return checkpoint::slot_size(checkpoint::words(Model::width(numeric) * parameters),
                               static_cast<std::uint32_t>(layout.peers - layout.records));
}

void Agent::State::describe_records() {
  records = {};
  records.finished = config.finished;
  records.estimates = static_cast<std::uint32_t>(layout_for(config, model).estimate_count);
  records.accounted = privacy_of(config) != nullptr ? 1 : 0;
  learner.describe(records);
}

double& Agent::State::account() const {
  const Layout at = layout_for(config, model);
  return *reinterpret_cast<double*>(saved.data() + (at.account - at.records));
}

Status Agent::save(Store& store) const noexcept {
  const Status status = stage(store);
  if (status == Status::ok) saved();
  return status;
}

Status Agent::stage(Store& store) const noexcept {
  state_->describe_records();
  if (Privacy* privacy = privacy_of(state_->config)) state_->account() = privacy->reserve();
  return checkpoint::save(store, {.fingerprint = state_->config.fingerprint,
                                  .steps = state_->learner.counter(),
                                  .records = state_->saved,
                                  .integers = state_->model.bytes()});
}

void Agent::saved() const noexcept {
  if (Privacy* privacy = privacy_of(state_->config)) privacy->reserved();
}

Status Agent::restore(Store& store, Time now) noexcept {
  if (exchanging() || state_->learner.stepping()) return Status::busy;
  const Status status = state_->restore(store, now);
  Privacy* privacy = privacy_of(state_->config);
  if (privacy == nullptr || status == Status::no_checkpoint) return status;
  if (status == Status::ok)
    privacy->resume(state_->account());
  else
    privacy->close();  // nobody knows any more what was spent
  return status;
}

Status Agent::State::restore(Store& store, Time now) {
  checkpoint::Loaded loaded;
  const Status status = checkpoint::load(store, config.fingerprint, model.bytes(), saved, loaded);
  const bool ok = status == Status::ok;
  if (!ok && status != Status::store_failed && status != Status::checkpoint_changed) return status;
  const Records found = records;
  describe_records();
  const bool known = ok && loaded.records == saved.size() && found.laid_out_as(records);
  if (!known) {
    place<FinishedExchange>(saved, sizeof(Records), config.finished);
    const Layout at = layout_for(config, model);
    place<Gate>(saved, at.gates - at.records, at.gate_count);
    place<lattice::StepEstimate>(saved, at.estimates - at.records, at.estimate_count);
  }
  if (!ok) return status;
  if (!known && privacy_of(config) != nullptr) return Status::checkpoint_unaccounted;
  learner.resume(loaded.steps, known ? found : Records{});
  finished.keep_all(now + 2 * config.timing.in_doubt);
  return Status::ok;
}

bool Agent::exchanging() const noexcept {
  return !state_->exchange.idle();
}
bool Agent::fresh() const noexcept {
  return state_->learner.fresh();
}
bool Agent::settled() const noexcept {
  return state_->learner.settled();
}
StepCounter Agent::counter() const noexcept {
  return state_->learner.counter();
}
float Agent::distance() const noexcept {
  return state_->learner.distance();
}
const AgentMetrics& Agent::metrics() const noexcept {
  state_->metrics.steps = static_cast<Count>(state_->learner.steps());
  if (!state_->learner.stepping())
    state_->metrics.saturated_in_steps = static_cast<Count>(state_->learner.saturated());
  return state_->metrics;
}

}  // namespace popsgd
