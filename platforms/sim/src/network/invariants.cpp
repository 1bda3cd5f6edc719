#include "network/invariants.h"

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

void Invariants::applied(const Applied& applied, bool with_liar) {
  Sides& done = sides({applied.exchange, applied.block});
  bool& mine = applied.initiator ? done.initiator : done.responder;
  check(!mine, "a block was applied twice on one side");
  check(applied.initiator || done.initiator || with_liar, "a responder applied what its initiator had not");
  mine = true;
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
