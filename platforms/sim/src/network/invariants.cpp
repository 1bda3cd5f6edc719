#include "network/invariants.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace popsgd::sim {
namespace {

constexpr std::uint64_t kPeriod = 300'000'000;   // microseconds
constexpr std::int32_t kDay = 24 * 3600 * 1000;  // milliseconds

}  // namespace

void Invariants::check(bool holds, const char* invariant) {
  if (holds) return;
  if (violations_++ == 0) first_ = std::string(invariant) + " at " + std::to_string(now_) + " us";
}

Invariants::Sides& Invariants::sides(const Name& name) {
  const auto old = blocks_[1].find(name);
  return old != blocks_[1].end() ? old->second : blocks_[0][name];
}

void Invariants::applied(const Applied& applied, bool with_liar, const Change& change) {
  Sides& done = sides({applied.exchange, applied.block});
  bool& mine = applied.initiator ? done.initiator : done.responder;
  check(!mine, "a block was applied twice on one side");
  check(applied.initiator || done.initiator || with_liar, "a responder applied what its initiator had not");
  mine = true;
  if (applied.weight == 0) {
    check(
        change.scale == 0 || std::all_of(change.by.begin(), change.by.end(), [](float x) { return x == 0; }),
        "a partner changed its model for one that adopts it");
  }
  if (with_liar) return;
  if (done.initiator && done.responder) return check_opposite(done, applied, change);
  done.weight = applied.weight;
  done.scale = change.scale;
  done.saturated = applied.saturated > 0;
  done.change.assign(change.by.begin(), change.by.end());
}

// A change is a difference of two floats, each right to half a unit in its last place. Integers' mirrors are exact.
void Invariants::check_opposite(Sides& first, const Applied& applied, const Change& second) {
  const float weight = applied.weight;
  const bool together = first.weight == 0.5F && weight == 0.5F;
  check(together || std::min(first.weight, weight) == 0, "one moved by half, its partner by another weight");
  check(first.change.size() == second.by.size(), "the two sides averaged stretches of different length");
  const bool exact = applied.numeric != Numeric::float32 && applied.partner != Numeric::float32;
  if (first.saturated || applied.saturated > 0) {
    first.change = {};
    return;
  }
  const float most = exact ? 0 : 4 * std::numeric_limits<float>::epsilon() * (first.scale + second.scale);
  bool opposite = true;
  for (std::size_t k = 0; together && k < first.change.size() && k < second.by.size(); ++k)
    opposite &= std::fabs(first.change[k] + second.by[k]) <= most;
  check(opposite, "the two halves of an averaging were not opposite");
  first.change = {};
}

void Invariants::agent(const Agent& agent, Time now) {
  const AgentMetrics& metrics = agent.metrics();
  const std::uint64_t open = metrics.begun - metrics.completed - metrics.cut_short;
  check(open <= (agent.exchanging() ? 1U : 0U), "an agent was in more exchanges than one");
  const std::int32_t wait = agent.deadline(now).since(now);
  check(wait >= 0 && wait <= kDay, "an agent's deadline was in the past or further than a day away");
}

void Invariants::advance(std::uint64_t now) {
  check(now >= now_, "time went back");
  now_ = now;
  if (now / kPeriod == period_) return;
  period_ = now / kPeriod;
  std::swap(blocks_[0], blocks_[1]);
  blocks_[0].clear();
}

}  // namespace popsgd::sim
