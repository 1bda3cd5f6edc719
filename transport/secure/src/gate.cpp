#include "gate_state.h"
#include "memory.h"

#include <algorithm>

namespace popsgd::secure {
namespace {

using Stage = SecureLink::Stage;

constexpr std::uint32_t kWindow = 1'000;    // ms in which a source's handshakes are counted
constexpr std::uint32_t kNoHurry = 60'000;  // ms

std::array<std::uint8_t, 16> prefix_of(const Address& source) noexcept {
  std::array<std::uint8_t, 16> prefix = source.ip;
  if (!source.is_v4()) std::fill(prefix.begin() + 8, prefix.end(), std::uint8_t{0});
  return prefix;
}

}  // namespace

Gate::Gate(Context& context, Listener& listener, const Limits& limits) noexcept
    : state_(make<State>(context, listener, limits)) {}

Gate::~Gate() {
  destroy(state_);
}

LinkUser* Gate::admit(Link& inner, const Address& remote, bool dialled) noexcept {
  if (state_ == nullptr || state_->context == nullptr || !state_->context->ready) return nullptr;
  const auto places = state_->all();
  const auto place = std::ranges::find(places, Stage::free, &SecureLink::stage);
  Refusal refusal = place == places.end() ? Refusal::too_many_links : Refusal::none;
  if (refusal == Refusal::none && dialled) refusal = state_->room_for(true);
  if (refusal == Refusal::none && !dialled && inner.traits().reliable) refusal = state_->often(remote);
  if (refusal != Refusal::none) {
    state_->count(refusal);
    return nullptr;
  }
  place->begin(*state_, inner, remote, dialled);
  return &*place;
}

void Gate::poll() noexcept {
  if (state_ == nullptr || state_->context == nullptr) return;
  const Time now = state_->context->clock.now();
  for (SecureLink& link : state_->all()) link.poll(now);
}

Time Gate::deadline() const noexcept {
  if (state_ == nullptr || state_->context == nullptr) return {};
  Time next = state_->context->clock.now() + kNoHurry;
  for (const SecureLink& link : state_->all()) next = earlier(next, link.deadline());
  return next;
}

const Counts& Gate::counts() const noexcept {
  static constexpr Counts kNone{};
  return state_ == nullptr ? kNone : state_->counts;
}

Gate::State::State(Context& with, Listener& whom, const Limits& most) noexcept
    : context(with.state()), listener(whom), limits(most), links(make_several<SecureLink>(most.links)) {}

Gate::State::~State() {
  destroy(links, limits.links);
}

Refusal Gate::State::room_for(bool dialled) noexcept {
  const auto counts_here = [dialled](const SecureLink& link) {
    return link.stage() == Stage::greeting && link.dialled() == dialled;
  };
  if (static_cast<std::size_t>(std::ranges::count_if(all(), counts_here)) < limits.handshakes)
    return Refusal::none;
  if (dialled) return Refusal::too_many_handshakes;
  const Time now = context->clock.now();
  const auto age = [&](const SecureLink& link) { return counts_here(link) ? now.since(link.since()) : -1; };
  SecureLink& oldest = *std::ranges::max_element(all(), {}, age);
  if (age(oldest) < static_cast<std::int32_t>(limits.grace)) return Refusal::too_many_handshakes;
  oldest.end(Refusal::too_many_handshakes);
  return Refusal::none;
}

Refusal Gate::State::often(const Address& address) noexcept {
  const Time now = context->clock.now();
  const auto prefix = prefix_of(address);
  auto source =
      std::ranges::find_if(sources, [&](const Source& one) { return one.count > 0 && one.prefix == prefix; });
  if (source == sources.end())
    source = std::ranges::max_element(
        sources, {}, [now](const Source& one) { return one.count == 0 ? INT32_MAX : now.since(one.since); });
  if (source->prefix != prefix || source->count == 0 || (source->since + kWindow).reached(now))
    *source = {.prefix = prefix, .since = now};
  if (source->count >= limits.per_source) return Refusal::too_often;
  ++source->count;
  return Refusal::none;
}

}  // namespace popsgd::secure
