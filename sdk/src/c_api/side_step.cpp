#include "c_api/agent.h"

using popsgd::SideStep;
using popsgd::Status;
using popsgd::c_api::code;

size_t popsgd_side_step_size(size_t parameters, popsgd_numeric numeric) {
  return numeric > POPSGD_INT8 ? 0 : SideStep::size(parameters, static_cast<popsgd::Numeric>(numeric));
}

popsgd_status popsgd_agent_begin_step(popsgd_agent* agent, void* memory, size_t size) {
  if (agent == nullptr || memory == nullptr) return code(Status::null_pointer);
  if (!popsgd::c_api::aligned(memory, POPSGD_ALIGNMENT)) return code(Status::scratch_too_small);
  SideStep aside({static_cast<std::byte*>(memory), size});
  const Status status = agent->agent.begin_step(aside);
  if (status != Status::ok) return code(status);
  agent->aside = aside;
  agent->stepping = true;
  return POPSGD_OK;
}

popsgd_status popsgd_agent_work(popsgd_agent* agent, float* loss) {
  if (agent == nullptr || !agent->stepping) return code(Status::null_pointer);
  const float before = agent->agent.work(agent->aside);
  if (loss != nullptr) *loss = before;
  return POPSGD_OK;
}

popsgd_status popsgd_agent_end_step(popsgd_agent* agent) {
  if (agent == nullptr || !agent->stepping) return code(Status::null_pointer);
  agent->agent.end_step(agent->aside);
  agent->stepping = false;
  return POPSGD_OK;
}
