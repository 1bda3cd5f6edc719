// A model, its local steps, and its exchanges with peers: popsgd::Agent.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/config.h>
#include <popsgd/c/fixed.h>
#include <popsgd/c/gradient.h>
#include <popsgd/c/status.h>
#include <popsgd/c/store.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Lies in the caller's memory, wholly; needs no end. Every function may be given null for it, and answers
/// POPSGD_NULL_POINTER, 0 or false. Nothing blocks, but for what a store does. Not thread-safe.
typedef struct popsgd_agent popsgd_agent;

/// Milliseconds of a local, monotonic clock with any origin, which may wrap around.
typedef uint32_t popsgd_time;

/// A peer on a path to it; the application names them as it likes.
typedef uint32_t popsgd_peer;

#define POPSGD_ALIGNMENT 8  ///< of an agent's memory and of frames: that of an array of uint64_t

// --- its beginning

/// Bytes of memory an agent takes beside its model; 0 for what popsgd_agent_init_...() will refuse. tensors: of the learner's layout; of
/// a float model without one 1.
size_t popsgd_agent_size(const popsgd_agent_config* config, size_t parameters, size_t tensors,
                         popsgd_numeric numeric);

/// An agent in `memory`, which is `size` bytes, aligned to POPSGD_ALIGNMENT, and must outlive it; so must all that `learner` points
/// to. On ok `*agent` is the agent, else null.
///
/// POPSGD_NULL_POINTER; POPSGD_INVALID_SIZE, POPSGD_INVALID_RATE: a value is outside its range; POPSGD_NO_FUNCTION: the
/// gradient's or the source's; POPSGD_SHAPE_MISMATCH: the layout or the velocity does not go with the model;
/// POPSGD_SCRATCH_TOO_SMALL: `scratch_count` or `size` is too small, or the memory is not aligned.
popsgd_status popsgd_agent_init_float(popsgd_agent** agent, const popsgd_agent_config* config,
                                      const popsgd_learner* learner, void* memory, size_t size,
                                      popsgd_time now);
/// The same of integer models. `schedule`, `weight_decay` and `momentum` of the configuration are not used, but checked. Also
/// POPSGD_PRIVATE_INTEGERS: there is no privacy of them.
popsgd_status popsgd_agent_init_int16(popsgd_agent** agent, const popsgd_agent_config* config,
                                      const popsgd_int16_learner* learner, void* memory, size_t size,
                                      popsgd_time now);
popsgd_status popsgd_agent_init_int8(popsgd_agent** agent, const popsgd_agent_config* config,
                                     const popsgd_int8_learner* learner, void* memory, size_t size,
                                     popsgd_time now);

// --- local steps

/// One local SGD step. `*loss`, if it is not null, is its batch's loss before it. POPSGD_BUSY during an exchange that blocks, or a
/// step beside; POPSGD_SETTLED.
popsgd_status popsgd_agent_step(popsgd_agent* agent, float* loss);

/// A step on a thread of its own, which the protocol never waits for, nor the other way round:
///
///     lock(); status = popsgd_agent_begin_step(agent, memory, size); unlock();   // copies the model
///     popsgd_agent_work(agent, &loss);                                           // as long as it takes
///     lock(); popsgd_agent_end_step(agent); unlock();                            // adds what the step has changed
///
/// Only popsgd_agent_work() may run at the same time as other functions: all but step, restore, init and these two. The memory is
/// popsgd_side_step_size() bytes, aligned to POPSGD_ALIGNMENT, and may be used again after the end.
/// POPSGD_BUSY: another such step has not ended, or steps are taken at exchanges (local_steps > 0, or blocking);
/// POPSGD_SETTLED; POPSGD_SCRATCH_TOO_SMALL.
popsgd_status popsgd_agent_begin_step(popsgd_agent* agent, void* memory, size_t size);
size_t popsgd_side_step_size(size_t parameters, popsgd_numeric numeric);
/// Both: POPSGD_NULL_POINTER also if no step has begun.
popsgd_status popsgd_agent_work(popsgd_agent* agent, float* loss);
popsgd_status popsgd_agent_end_step(popsgd_agent* agent);

// --- peers and their frames

/// A peer that can be reached over frames of up to `mtu` bytes, >= 256; or what is now known of the path to it. reliable: a stream,
/// on which nothing is lost or reordered. POPSGD_NO_ROOM when all places are taken; POPSGD_INVALID_SIZE.
popsgd_status popsgd_agent_add_peer(popsgd_agent* agent, popsgd_peer peer, uint16_t mtu, bool reliable);
/// It is out of reach, and not chosen any more. An exchange with it goes on if it can.
void popsgd_agent_remove_peer(popsgd_agent* agent, popsgd_peer peer);
/// The link to it is closed, so that nothing can come from it under this number any more: it is removed, and an exchange with it ends at
/// once. A responder that has said READY stays in doubt.
void popsgd_agent_lost_peer(popsgd_agent* agent, popsgd_peer peer, popsgd_time now);

/// Offers an exchange to this peer now. POPSGD_BUSY during another one; POPSGD_UNKNOWN_PEER;
/// POPSGD_BUDGET_SPENT: see popsgd/c/privacy.h.
popsgd_status popsgd_agent_meet(popsgd_agent* agent, popsgd_peer peer, popsgd_time now);

/// A frame has come. Whatever it holds, at worst it is dropped and counted. It is only read during the call, and must be
/// aligned: POPSGD_MISALIGNED_FRAME.
popsgd_status popsgd_agent_receive(popsgd_agent* agent, popsgd_peer from, const void* frame, size_t size,
                                   popsgd_time now);

typedef struct popsgd_outgoing {
  popsgd_peer to;
  size_t size;  ///< bytes of the frame; 0: there is nothing to send now
} popsgd_outgoing;

/// Writes the next frame to send into `frame`, which is `room` bytes: the configuration's largest_frame or more, else
/// POPSGD_BUFFER_TOO_SMALL; and aligned: POPSGD_MISALIGNED_FRAME. To be called until there is none, after every other call and at
/// every deadline. After an error out->size is 0.
popsgd_status popsgd_agent_send(popsgd_agent* agent, void* frame, size_t room, popsgd_time now,
                                popsgd_outgoing* out);

/// When popsgd_agent_send() must be called again if nothing else happens before. Never further away than a day; `now` of
/// a null agent.
popsgd_time popsgd_agent_deadline(const popsgd_agent* agent, popsgd_time now);

// --- checkpoints

/// Bytes that a slot of the store needs; 0 for what popsgd_agent_init_...() will refuse. Arguments as of popsgd_agent_size().
uint64_t popsgd_agent_checkpoint_size(const popsgd_agent_config* config, size_t parameters, size_t tensors,
                                      popsgd_numeric numeric);

/// Saves the model, the counters and the memory of exchanges, all of one moment, at any time. Whatever goes wrong, power
/// included, the store holds the last checkpoint or this one, entire. POPSGD_NO_FUNCTION: one of the store's is null;
/// POPSGD_STORE_TOO_SMALL; or what the store answered. With privacy it also pays for releases in advance, before which there are none.
popsgd_status popsgd_agent_save(const popsgd_agent* agent, const popsgd_store* store);
/// The same into a store that is not durable yet when it says so, e.g. one that another thread writes out: nothing is released on the
/// strength of it before popsgd_agent_saved(). Without privacy it is popsgd_agent_save().
popsgd_status popsgd_agent_stage(const popsgd_agent* agent, const popsgd_store* store);
/// What was staged last is durable now.
void popsgd_agent_saved(const popsgd_agent* agent);

/// To be called after init, when the device starts again: goes on from the last checkpoint. POPSGD_NO_CHECKPOINT is a first
/// start. POPSGD_BUSY; POPSGD_NO_FUNCTION; POPSGD_CHECKPOINT_...; or what the store answered. After POPSGD_CHECKPOINT_CHANGED or
/// an error of the store the model has to be given anew. With privacy a checkpoint made without, or laid out otherwise, is
/// POPSGD_CHECKPOINT_UNACCOUNTED; and after all errors but POPSGD_NO_CHECKPOINT nobody knows what was spent: the agent meets nobody.
popsgd_status popsgd_agent_restore(popsgd_agent* agent, const popsgd_store* store, popsgd_time now);

// --- how it is

bool popsgd_agent_exchanging(const popsgd_agent* agent);
/// It has learned nothing yet, and adopts its first partner's model.
bool popsgd_agent_fresh(const popsgd_agent* agent);
/// Its step size is below the schedule's `settle`: it goes on averaging, and takes no steps.
bool popsgd_agent_settled(const popsgd_agent* agent);
/// The gossip-averaged count of local steps, in units of 2^-16 steps.
uint64_t popsgd_agent_counter(const popsgd_agent* agent);
/// How far away partners' models are as a rule: a median root mean square; 0: not known, or there is no gate.
float popsgd_agent_distance(const popsgd_agent* agent);

/// Why a frame changed nothing: index of popsgd_metrics' `dropped`.
enum {
  POPSGD_DROP_DAMAGED = 0,       ///< changed on its way: its checksum is wrong
  POPSGD_DROP_MALFORMED = 1,     ///< not a frame of this protocol, or one that contradicts itself
  POPSGD_DROP_UNKNOWN = 2,       ///< of an exchange that is over or never was
  POPSGD_DROP_DUPLICATE = 3,     ///< already seen
  POPSGD_DROP_UNEXPECTED = 4,    ///< well-formed, but out of place in this exchange
  POPSGD_DROP_REFLECTED = 5,     ///< the agent's own offer come back
  POPSGD_DROP_INCOMPATIBLE = 6,  ///< an offer of another version, model, swarm or format
  POPSGD_DROP_NO_ROOM = 7        ///< an answer was due, but too many were waiting
};
#define POPSGD_DROPS 8

/// Why a peer's block was refused: index of popsgd_metrics' `refused`.
enum {
  POPSGD_REFUSAL_NONE = 0,          ///< it was not: always 0
  POPSGD_REFUSAL_NOT_FINITE = 1,    ///< a parameter is not a number or infinite
  POPSGD_REFUSAL_OUT_OF_RANGE = 2,  ///< a parameter's magnitude is above the limit
  POPSGD_REFUSAL_CHECKSUM = 3,      ///< what was decoded is not what the peer sent
  POPSGD_REFUSAL_TOO_FAR = 4,       ///< the two models are further apart than the gate admits
  POPSGD_REFUSAL_STILL = 5          ///< a partner was met at this very place twice before: it does not learn
};
#define POPSGD_REFUSALS 6

/// Everything is counted, nothing is logged. Counters only ever grow. New versions append fields.
typedef struct popsgd_metrics {
  uint64_t steps;  ///< local SGD steps
  uint64_t offers;
  uint64_t begun;      ///< exchanges agreed on
  uint64_t completed;  ///< of those: all blocks applied
  uint64_t cut_short;  ///< of those: ended earlier, for whatever reason
  uint64_t blocks_applied;
  uint64_t retries;             ///< attempts at a block after one of the two had been read wrong
  uint64_t saturated;           ///< parameters that stopped at their type's range in averaging
  uint64_t saturated_in_steps;  ///< values that did so in local steps
  uint64_t in_doubt;            ///< blocks dropped although the partner may have applied its half
  uint64_t retransmissions;
  uint64_t frames_sent;
  uint64_t frames_received;
  uint64_t bytes_sent;
  uint64_t bytes_received;
  uint64_t dropped[POPSGD_DROPS];     ///< frames received, by reason
  uint64_t refused[POPSGD_REFUSALS];  ///< blocks received, by reason
} popsgd_metrics;

/// Copies the counters into the first `size` bytes of `metrics`, sizeof(popsgd_metrics) of whoever calls; what a newer header has
/// beyond them becomes 0. Nothing happens if one of the two is null.
void popsgd_agent_metrics(const popsgd_agent* agent, popsgd_metrics* metrics, size_t size);

#ifdef __cplusplus
}
#endif
// NOLINTEND
