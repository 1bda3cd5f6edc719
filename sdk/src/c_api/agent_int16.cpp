#include "c_api/agent_fixed.h"

popsgd_status popsgd_agent_init_int16(popsgd_agent** agent, const popsgd_agent_config* config,
                                      const popsgd_int16_learner* learner, void* memory, size_t size,
                                      popsgd_time now) {
  return popsgd::c_api::init_fixed<std::int16_t, &popsgd_agent::int16s>(agent, config, learner, memory, size,
                                                                        now);
}
