// What an agent is configured with: popsgd::AgentConfig.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/fixed.h>
#include <popsgd/c/gradient.h>
#include <popsgd/c/privacy.h>
#include <popsgd/c/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct popsgd_breakpoint {
  double steps;  ///< from this count on,
  float factor;  ///< the rate is eta times this
} popsgd_breakpoint;

/// The step size of a float model; an integer model has a popsgd_fixed_schedule.
typedef struct popsgd_schedule {
  popsgd_shape shape;
  float eta;       ///< the step size at t = 0; finite, >= 0
  double horizon;  ///< the count over which the inverse shapes decay; finite, > 0
  size_t breakpoint_count;
  popsgd_breakpoint breakpoints[POPSGD_BREAKPOINTS];  ///< the first `breakpoint_count`, ascending
  float settle;  ///< an agent whose step size is below it averages without stepping; finite, >= 0; 0: never
} popsgd_schedule;

/// Which counter the schedule runs on.
typedef uint8_t popsgd_counter;
enum {
  POPSGD_GOSSIP = 0,  ///< averaged at every exchange
  POPSGD_OWN = 1      ///< the agent's own number of steps
};

/// What an exchange does, and when its local steps are taken.
typedef uint8_t popsgd_averaging;
enum {
  POPSGD_NON_BLOCKING = 0,  ///< snapshots, then H steps, then opposite deltas; steps may be taken at any time
  POPSGD_BLOCKING =
      1  ///< H steps, then snapshots, then both adopt the mean (PopSGD, Algorithm 1); no steps meanwhile
};

/// What a peer's block must pass.
typedef struct popsgd_guarding {
  float limit;  ///< largest magnitude of a parameter, > 0; infinity: any finite value
  bool gate;    ///< refuse partners much further away than others
} popsgd_guarding;

/// How many bits a parameter takes on its way.
typedef uint8_t popsgd_width;
enum {
  POPSGD_RAW = 0,        ///< as many as in memory
  POPSGD_AUTOMATIC = 1,  ///< 4, or 6 where models are further apart
  POPSGD_FIXED = 2       ///< as popsgd_quantisation says
};
typedef struct popsgd_quantisation {
  popsgd_width width;
  uint8_t bits;  ///< if fixed: 2 to 16
  bool rotate;   ///< if the partner does so, too: a finer step for 2 or 3 bits
} popsgd_quantisation;

/// How long the protocol waits, in milliseconds.
typedef struct popsgd_timing {
  uint32_t first_timeout;  ///< before a frame is repeated, until the round trip is known
  uint32_t least_timeout;  ///< however short the round trip
  uint32_t most_timeout;   ///< however often it was repeated
  uint32_t offer;          ///< an offer without answer is withdrawn; 1 to a day
  uint32_t idle;           ///< an exchange that gets no further is aborted
  uint32_t
      in_doubt;  ///< a responder that has staged a block and hears nothing drops it; >= idle, at most half a day
  uint32_t busy;     ///< what a busy agent asks others to wait, and itself waits at least
  uint32_t slowest;  ///< bytes a second: a block that crosses more slowly is given up
} popsgd_timing;

/// A block of an exchange that has just been averaged into the model.
typedef struct popsgd_applied {
  uint64_t exchange;  ///< its name, the same on both sides
  uint32_t offset;    ///< of the block in the model, parameters
  uint32_t length;
  uint32_t saturated;  ///< parameters that stopped at their type's range
  float weight;        ///< of the partner's block; 0: this side stays, as its partner is fresh or astray
  uint16_t block;
  popsgd_numeric numeric;  ///< what this side's model is made of,
  popsgd_numeric partner;  ///< and its partner's
  bool initiator;          ///< of the exchange, the agent that tells
  bool last;               ///< the exchange is complete
  bool lattice;            ///< both moved by the same multiples of a step; false: floats as they are
} popsgd_applied;

/// Told of every block applied. Must not call the agent.
typedef struct popsgd_observer {
  void (*function)(void* context, const popsgd_applied* applied);  ///< null: nobody is told
  void* context;                                                   ///< must outlive the agent
} popsgd_observer;

/// Filled by popsgd_agent_config_init(), then changed. New versions append fields, and never change those that are here:
/// who was compiled with an older header gets their defaults.
typedef struct popsgd_agent_config {
  uint32_t size;         ///< of this struct where it was compiled: popsgd_agent_config_init() writes it
  bool fresh;            ///< has learned nothing yet: adopts its first partner's model; true
  uint64_t seed;         ///< see popsgd_draw_seed(); 0 until it is set
  uint64_t fingerprint;  ///< of model and swarm; agents with another one are refused; 0

  float weight_decay;               ///< finite, >= 0; 0; this and the two below: of float models
  float momentum;                   ///< 0 <= momentum < 1; 0
  popsgd_schedule schedule;         ///< constant, eta 0.1
  popsgd_counter schedule_counter;  ///< POPSGD_GOSSIP
  popsgd_averaging averaging;       ///< POPSGD_NON_BLOCKING
  uint16_t local_steps;  ///< H: steps at every exchange; 0, the default: only when the application steps

  uint32_t
      mean_wait;  ///< ms, of the exponential time between two offers, at most 45 minutes; 0: offers only by popsgd_agent_meet(); 1000
  uint32_t block_length;         ///< parameters in a block; 0, the default: the whole model in one
  uint16_t largest_frame;        ///< bytes of the largest frame it sends or receives, 256 to 65535; 1200
  uint16_t window;               ///< most chunks in flight, 1 to 32; 16
  uint16_t peers;                ///< most peers known at a time, >= 1; 16
  uint16_t finished;             ///< finished exchanges remembered, >= 1; 16
  popsgd_guarding guarding;      ///< limit 1e6, with the gate
  popsgd_quantisation quantise;  ///< POPSGD_RAW
  popsgd_timing timing;          ///< see popsgd/agent.h
  popsgd_observer observer;      ///< nobody
  popsgd_privacy* privacy;  ///< of a float model, and outlives the agent; null: what leaves leaves as it is
  uint32_t
      peer_interval;  ///< ms between two exchanges that one peer begins; sooner it is told to wait; 0: no limit; 0
} popsgd_agent_config;

/// The defaults, those of popsgd::AgentConfig. size: sizeof(popsgd_agent_config). POPSGD_NULL_POINTER; POPSGD_INVALID_SIZE: a size
/// that no version up to the library's has had; nothing is written then.
popsgd_status popsgd_agent_config_init(popsgd_agent_config* config, size_t size);

#ifdef __cplusplus
}
#endif
// NOLINTEND
