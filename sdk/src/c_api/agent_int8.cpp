#include "c_api/agent_fixed.h"

popsgd_status popsgd_agent_init_int8(popsgd_agent** agent, const popsgd_agent_config* config,
                                     const popsgd_int8_learner* learner, void* memory, size_t size,
                                     popsgd_time now) {
  return popsgd::c_api::init_fixed<std::int8_t, &popsgd_agent::int8s>(agent, config, learner, memory, size,
                                                                      now);
}
