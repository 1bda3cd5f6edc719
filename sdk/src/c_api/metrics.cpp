#include "c_api/agent.h"

#include <algorithm>
#include <cstring>

namespace popsgd::c_api {
namespace {

constexpr bool same(int number, Drop drop) {
  return number == static_cast<int>(drop);
}
constexpr bool same(int number, Refusal refusal) {
  return number == static_cast<int>(refusal);
}

static_assert(same(POPSGD_DROP_DAMAGED, Drop::damaged));
static_assert(same(POPSGD_DROP_MALFORMED, Drop::malformed));
static_assert(same(POPSGD_DROP_UNKNOWN, Drop::unknown));
static_assert(same(POPSGD_DROP_DUPLICATE, Drop::duplicate));
static_assert(same(POPSGD_DROP_UNEXPECTED, Drop::unexpected));
static_assert(same(POPSGD_DROP_REFLECTED, Drop::reflected));
static_assert(same(POPSGD_DROP_INCOMPATIBLE, Drop::incompatible));
static_assert(same(POPSGD_DROP_NO_ROOM, Drop::no_room));
static_assert(POPSGD_DROPS == kDrops);
static_assert(same(POPSGD_REFUSAL_NONE, Refusal::none));
static_assert(same(POPSGD_REFUSAL_NOT_FINITE, Refusal::not_finite));
static_assert(same(POPSGD_REFUSAL_OUT_OF_RANGE, Refusal::out_of_range));
static_assert(same(POPSGD_REFUSAL_CHECKSUM, Refusal::checksum));
static_assert(same(POPSGD_REFUSAL_TOO_FAR, Refusal::too_far));
static_assert(same(POPSGD_REFUSAL_STILL, Refusal::still));
static_assert(POPSGD_REFUSALS == kRefusals);

popsgd_metrics written(const AgentMetrics& from) {
  popsgd_metrics to{};
  to.steps = from.steps;
  to.offers = from.offers;
  to.begun = from.begun;
  to.completed = from.completed;
  to.cut_short = from.cut_short;
  to.blocks_applied = from.blocks_applied;
  to.retries = from.retries;
  to.saturated = from.saturated;
  to.saturated_in_steps = from.saturated_in_steps;
  to.in_doubt = from.in_doubt;
  to.retransmissions = from.retransmissions;
  to.frames_sent = from.frames_sent;
  to.frames_received = from.frames_received;
  to.bytes_sent = from.bytes_sent;
  to.bytes_received = from.bytes_received;
  std::ranges::copy(from.dropped, to.dropped);
  std::ranges::copy(from.refused, to.refused);
  return to;
}

}  // namespace
}  // namespace popsgd::c_api

void popsgd_agent_metrics(const popsgd_agent* agent, popsgd_metrics* metrics, size_t size) {
  if (agent == nullptr || metrics == nullptr) return;
  const popsgd_metrics known = popsgd::c_api::written(agent->agent.metrics());
  auto* bytes = reinterpret_cast<std::byte*>(metrics);
  const std::size_t count = std::min(size, sizeof known);
  std::memcpy(bytes, &known, count);
  std::memset(bytes + count, 0, size - count);
}
