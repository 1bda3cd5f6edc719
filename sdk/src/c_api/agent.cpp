#include "c_api/agent.h"

#include <type_traits>

namespace popsgd::c_api {
namespace {

static_assert(POPSGD_FLOAT32 == static_cast<int>(Numeric::float32));
static_assert(POPSGD_INT16 == static_cast<int>(Numeric::int16));
static_assert(POPSGD_INT8 == static_cast<int>(Numeric::int8));
static_assert(sizeof(popsgd_agent) % POPSGD_ALIGNMENT == 0);  // where its workspace begins
static_assert(std::is_trivially_destructible_v<popsgd_agent>);

}  // namespace

void observe(void* agent, const Applied& applied) noexcept {
  popsgd_applied told{};
  told.exchange = applied.exchange;
  told.offset = applied.offset;
  told.length = applied.length;
  told.saturated = applied.saturated;
  told.weight = applied.weight;
  told.block = applied.block;
  told.numeric = static_cast<popsgd_numeric>(applied.numeric);
  told.partner = static_cast<popsgd_numeric>(applied.partner);
  told.initiator = applied.initiator;
  told.last = applied.last;
  told.lattice = applied.lattice;
  const popsgd_observer& observer = static_cast<popsgd_agent*>(agent)->observer;
  observer.function(observer.context, &told);
}

}  // namespace popsgd::c_api

using popsgd::PeerId;
using popsgd::Status;
using popsgd::Time;
using popsgd::c_api::aligned;
using popsgd::c_api::code;

size_t popsgd_agent_size(const popsgd_agent_config* config, size_t parameters, size_t tensors,
                         popsgd_numeric numeric) {
  const auto read = popsgd::c_api::read(config);
  if (!read.ok() || numeric > POPSGD_INT8) return 0;
  const std::size_t workspace =
      popsgd::Agent::workspace_size(read.value(), parameters, tensors, static_cast<popsgd::Numeric>(numeric));
  return workspace == 0 ? 0 : sizeof(popsgd_agent) + workspace;
}

popsgd_status popsgd_agent_step(popsgd_agent* agent, float* loss) {
  if (agent == nullptr) return code(Status::null_pointer);
  const auto result = agent->agent.step();
  if (result.ok() && loss != nullptr) *loss = result.value();
  return code(result.status());
}

popsgd_status popsgd_agent_add_peer(popsgd_agent* agent, popsgd_peer peer, uint16_t mtu, bool reliable) {
  if (agent == nullptr) return code(Status::null_pointer);
  return code(agent->agent.add_peer(PeerId{peer}, {.mtu = mtu, .reliable = reliable}));
}

void popsgd_agent_remove_peer(popsgd_agent* agent, popsgd_peer peer) {
  if (agent != nullptr) agent->agent.remove_peer(PeerId{peer});
}

void popsgd_agent_lost_peer(popsgd_agent* agent, popsgd_peer peer, popsgd_time now) {
  if (agent != nullptr) agent->agent.lost_peer(PeerId{peer}, Time(now));
}

popsgd_status popsgd_agent_meet(popsgd_agent* agent, popsgd_peer peer, popsgd_time now) {
  if (agent == nullptr) return code(Status::null_pointer);
  return code(agent->agent.meet(PeerId{peer}, Time(now)));
}

popsgd_status popsgd_agent_receive(popsgd_agent* agent, popsgd_peer from, const void* frame, size_t size,
                                   popsgd_time now) {
  if (agent == nullptr || (frame == nullptr && size > 0)) return code(Status::null_pointer);
  if (!aligned(frame, POPSGD_ALIGNMENT)) return code(Status::misaligned_frame);
  agent->agent.receive(PeerId{from}, {static_cast<const std::byte*>(frame), size}, Time(now));
  return POPSGD_OK;
}

popsgd_status popsgd_agent_send(popsgd_agent* agent, void* frame, size_t room, popsgd_time now,
                                popsgd_outgoing* out) {
  if (out == nullptr) return code(Status::null_pointer);
  *out = {};
  if (agent == nullptr || frame == nullptr) return code(Status::null_pointer);
  if (!aligned(frame, POPSGD_ALIGNMENT)) return code(Status::misaligned_frame);
  if (room < agent->largest_frame) return code(Status::buffer_too_small);
  const auto sent = agent->agent.send({static_cast<std::byte*>(frame), room}, Time(now));
  if (sent) *out = {static_cast<popsgd_peer>(sent->to), sent->size};
  return POPSGD_OK;
}

popsgd_time popsgd_agent_deadline(const popsgd_agent* agent, popsgd_time now) {
  return agent == nullptr ? now : agent->agent.deadline(Time(now)).milliseconds();
}

bool popsgd_agent_exchanging(const popsgd_agent* agent) {
  return agent != nullptr && agent->agent.exchanging();
}

bool popsgd_agent_fresh(const popsgd_agent* agent) {
  return agent != nullptr && agent->agent.fresh();
}

bool popsgd_agent_settled(const popsgd_agent* agent) {
  return agent != nullptr && agent->agent.settled();
}

uint64_t popsgd_agent_counter(const popsgd_agent* agent) {
  return agent == nullptr ? 0 : agent->agent.counter().bits();
}

float popsgd_agent_distance(const popsgd_agent* agent) {
  return agent == nullptr ? 0 : agent->agent.distance();
}
