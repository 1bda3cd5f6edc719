// The one object a device holds: a model that learns, and that meets others.
#pragma once

#include <popsgd/counter.h>
#include <popsgd/gradient.h>
#include <popsgd/guard.h>
#include <popsgd/link.h>
#include <popsgd/model.h>
#include <popsgd/parts.h>
#include <popsgd/schedule.h>
#include <popsgd/sgd.h>
#include <popsgd/status.h>
#include <popsgd/store.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

namespace popsgd {

class Privacy;

/// Where the samples of local steps come from.
struct BatchSource {
  /// The batch of the agent's next step, in the source's own memory, valid until the next call. One without rows: there is nothing to
  /// learn from now. Built-in networks then have a gradient of zero, and a loss that is not a number, or of integers the largest.
  using Function = const Batch& (*)(void* context) noexcept;
  Function function = nullptr;
  void* context = nullptr;
};

/// The same of an integer model.
struct FixedBatchSource {
  using Function = const FixedBatch& (*)(void* context) noexcept;
  Function function = nullptr;
  void* context = nullptr;
};

/// What an exchange does, and when local steps are taken (AgentConfig::local_steps = H).
enum class Averaging : std::uint8_t {
  non_blocking,  ///< snapshots, then H steps, then opposite deltas; steps may be taken at any time
  blocking,  ///< H steps, then snapshots, then both adopt the mean: PopSGD, Algorithm 1; no steps meanwhile
};

/// Which counter the schedule runs on.
enum class ScheduleCounter : std::uint8_t {
  gossip,  ///< averaged at every exchange
  own,     ///< the agent's own number of steps
};

/// What a peer's block must pass. All that the build has is on by default.
struct Guarding {
  float limit = 1e6F;           ///< largest magnitude of a parameter, > 0; infinity: any finite value
  bool gate = has(Part::gate);  ///< refuse partners much further away than others (see Gate)
};

/// How many bits a parameter takes on its way.
enum class Width : std::uint8_t {
  raw,  ///< as many as in memory
  automatic,  ///< 4; 6 for a block after one whose models were further apart than 4 reach, or if the partner takes more
  fixed,  ///< as Quantisation says
};

/// How this agent's snapshots cross; its partner decides for itself. Values are sent as points of a lattice modulo 2^bits,
/// of a step that follows from the distances of past exchanges; raw as long as there were none. What the partner reads wrong
/// its checksum tells: that is sent again in more bits, at last all of it raw.
struct Quantisation {
  Width width = Width::raw;
  std::uint8_t bits = 4;  ///< if fixed: 2 to 16
  bool rotate = false;    ///< if the partner does so, too: a finer step for 2 or 3 bits
};

/// How long the protocol waits, in milliseconds: offer and most_timeout at most a day, in_doubt half of one; none but busy may be 0.
struct Timing {
  std::uint32_t first_timeout = 500;  ///< before a frame is repeated, until the round trip is known
  std::uint32_t least_timeout = 10;   ///< however short the round trip
  std::uint32_t most_timeout = 2000;  ///< however often it was repeated; >= least_timeout
  std::uint32_t offer = 2000;         ///< an offer without answer is withdrawn
  std::uint32_t idle = 10000;         ///< an exchange that gets no further is aborted
  std::uint32_t in_doubt =
      30000;  ///< a responder that has staged a block and hears nothing drops it; >= idle
  std::uint32_t busy =
      200;  ///< what a busy agent asks others to wait before they try again, and itself waits at least
  std::uint32_t slowest = 128;  ///< bytes a second: a block that crosses more slowly is given up
};

/// A block of an exchange that has just been averaged into the model.
struct Applied {
  std::uint64_t exchange = 0;  ///< its name, the same on both sides
  std::uint16_t block = 0;
  std::uint32_t offset = 0;  ///< of the block in the model, parameters
  std::uint32_t length = 0;
  bool initiator = false;  ///< of the exchange, the agent that tells
  bool last = false;       ///< the exchange is complete
  float weight = 0.5F;     ///< of the partner's block; 0: this side stays, as its partner is fresh or astray
  Numeric numeric = Numeric::float32;  ///< what this side's model is made of,
  Numeric partner = Numeric::float32;  ///< and its partner's
  bool lattice = false;         ///< both moved by the same multiples of a step; false: floats as they are
  std::uint32_t saturated = 0;  ///< parameters that stopped at their type's range
};

/// Told of every block applied, e.g. to check an exchange from outside. Must not call the agent.
struct Observer {
  using Function = void (*)(void* context, const Applied& applied) noexcept;
  Function function = nullptr;  ///< null: nobody is told
  void* context = nullptr;      ///< handed to `function`; must outlive the agent
};

struct AgentConfig {
  std::uint64_t seed = 0;  ///< from the platform's entropy, another at every start: nonces and waiting times
  std::uint64_t fingerprint = 0;  ///< of model and swarm; agents with another one are refused

  Sgd sgd{};
  Schedule schedule{};  ///< with Schedule::settle: below that step size it only averages
  ScheduleCounter schedule_counter = ScheduleCounter::gossip;
  Averaging averaging = Averaging::non_blocking;
  std::uint16_t local_steps = 0;  ///< H: steps at every exchange; 0: only when the application calls step()
  bool fresh = true;              ///< has learned nothing yet: adopts its first partner's model

  std::uint32_t mean_wait =
      1000;  ///< ms, of the exponential time between two offers, at most 45 minutes; 0: offers only by meet()
  /// ms, at most a day, from a peer's first offer since it was added, and from each exchange that it begins, to the next that it may begin: sooner
  /// it is told to wait, so that none, however eager, pulls this model more often. 0: no limit.
  std::uint32_t peer_interval = 0;
  std::uint32_t block_length = 0;      ///< parameters in a block; 0: the whole model in one
  std::uint16_t largest_frame = 1200;  ///< bytes it can receive, 256 to 65535
  /// Most chunks in flight, 1 to 32.
  std::uint16_t window = has(Part::window) ? 16 : 1;
  std::uint16_t peers = 16;     ///< most peers known at a time
  std::uint16_t finished = 16;  ///< finished exchanges remembered, >= 1
  Guarding guarding{};
  Quantisation quantise{};
  Timing timing{};
  Observer observer{};
  Privacy* privacy =
      nullptr;  ///< of a float model: clips what is told of it, and adds noise; null: it leaves as it is
};

/// Why a frame changed nothing.
enum class Drop : std::uint8_t {
  damaged,       ///< changed on its way: its checksum is wrong
  malformed,     ///< not a frame of this protocol, or one that contradicts itself
  unknown,       ///< of an exchange that is over or never was
  duplicate,     ///< already seen
  unexpected,    ///< well-formed, but out of place in this exchange
  reflected,     ///< the agent's own offer come back
  incompatible,  ///< an offer of another version, model, swarm or format
  no_room,       ///< an answer was due, but too many were waiting; or send() was given too little memory
};
inline constexpr std::size_t kDrops = 8;

/// Of what it counts. Where there is no diagnosis (see Part) it wraps around.
using Count = std::conditional_t<has(Part::diagnosis), std::uint64_t, std::uint32_t>;

/// Everything is counted, nothing is logged. Counters only ever grow. Without Part::diagnosis all but steps,
/// completed, cut_short, bytes_sent and bytes_received stay 0.
struct AgentMetrics {
  Count steps = 0;  ///< local SGD steps
  Count offers = 0;
  Count begun = 0;      ///< exchanges agreed on
  Count completed = 0;  ///< of those: all blocks applied
  Count cut_short = 0;  ///< of those: ended earlier, for whatever reason
  Count blocks_applied = 0;
  Count retries = 0;             ///< attempts at a block after one of the two had been read wrong
  Count saturated = 0;           ///< parameters that stopped at their type's range in averaging
  Count saturated_in_steps = 0;  ///< values that did so in local steps, as gradients count them
  Count in_doubt = 0;            ///< blocks dropped although the partner may have applied its half
  Count retransmissions = 0;
  Count frames_sent = 0;
  Count frames_received = 0;
  Count bytes_sent = 0;
  Count bytes_received = 0;
  std::array<Count, kDrops> dropped{};     ///< frames received, by reason
  std::array<Count, kRefusals> refused{};  ///< blocks received, by reason
};

/// A local step beside the protocol: two copies of the model in the caller's memory, as the step found it and as it left
/// it. What lies between is added to the model: averaging moves it on meanwhile, by deltas that commute with it.
class SideStep {
 public:
  /// Bytes of memory, 8-aligned, that one takes.
  [[nodiscard]] static constexpr std::size_t size(std::size_t parameters,
                                                  Numeric numeric = Numeric::float32) {
    return 2 * half(parameters * Model::width(numeric));
  }
  /// The memory must outlive the step.
  explicit SideStep(std::span<std::byte> memory) : memory_(memory) {}

 private:
  friend class Agent;
  friend class Learner;
  [[nodiscard]] static constexpr std::size_t half(std::size_t bytes) { return (bytes + 7) / 8 * 8; }
  [[nodiscard]] Model before(const Model& model) const {
    return model.in(memory_.first(model.bytes().size()));
  }
  [[nodiscard]] Model after(const Model& model) const {
    return model.in(memory_.subspan(half(model.bytes().size()), model.bytes().size()));
  }

  std::span<std::byte> memory_;
  StepCounter time_{};
};

/// A model, its local steps, and its exchanges with peers. Opens no socket, reads no clock, starts no thread and
/// allocates nothing: bytes and the time come in, frames and the next deadline go out.
///
///     agent.receive(peer, bytes, now);                            // whenever a frame has come
///     while (auto out = agent.send(frame, now)) transmit(out->to, frame.first(out->size));
///     wait for bytes, or until agent.deadline(now);               // then send() again
///
/// One exchange at a time: whoever asks meanwhile is told to try again. Not thread-safe. A frame for which a link has no room may be kept
/// for a while or dropped, as any may be lost; but send() has to be called again at the deadline, or no timeout ever runs.
///
/// But for the static functions nothing may be called before an init() that was ok. After one that was not, the agent is as it was.
class Agent {
 public:
  Agent() = default;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  Agent(Agent&&) = delete;
  Agent& operator=(Agent&&) = delete;
  ~Agent() = default;

  /// Bytes of workspace that init() needs; 0 for a configuration it will refuse. tensors: of the model's layout.
  [[nodiscard]] static std::size_t workspace_size(const AgentConfig& config, std::size_t parameters,
                                                  std::size_t tensors = 1,
                                                  Numeric numeric = Numeric::float32) noexcept;

  /// `model`, `gradient`'s context, `source`, `velocity`, `scratch` (sizes: see Sgd) and `workspace` (8-aligned)
  /// are the caller's and must outlive the agent. Errors: invalid_size, invalid_rate (also of times), no_function,
  /// shape_mismatch, scratch_too_small (also of a workspace that is too small, or not 8-aligned). May be called again: the agent starts anew. With privacy the model given here must
  /// not depend on the device's data: it is shown to peers.
  [[nodiscard]] Status init(const AgentConfig& config, Params model, const Gradient& gradient,
                            BatchSource source, Params velocity, Scratch scratch,
                            std::span<std::byte> workspace, Time now) noexcept;
  /// The same of a float model with a layout, as it meets integer models.
  [[nodiscard]] Status init(const AgentConfig& config, const Model& model, const Gradient& gradient,
                            BatchSource source, Params velocity, Scratch scratch,
                            std::span<std::byte> workspace, Time now) noexcept;
  /// The same of an integer model. Steps and averaging are integers' affair; floats are left in the loss, in distances and in
  /// waiting times. `scratch` as the gradient says; `sgd` and `schedule` of the configuration are not used. Errors also: what FixedSchedule::check says, and private_integers.
  [[nodiscard]] Status init(const AgentConfig& config, std::span<std::int16_t> model,
                            std::span<const Tensor> layout, const FixedGradient<std::int16_t>& gradient,
                            FixedBatchSource source, const FixedSchedule& schedule,
                            std::span<std::int32_t> scratch, std::span<std::byte> workspace,
                            Time now) noexcept;
  [[nodiscard]] Status init(const AgentConfig& config, std::span<std::int8_t> model,
                            std::span<const Tensor> layout, const FixedGradient<std::int8_t>& gradient,
                            FixedBatchSource source, const FixedSchedule& schedule,
                            std::span<std::int32_t> scratch, std::span<std::byte> workspace,
                            Time now) noexcept;

  /// One local SGD step; the loss of its batch before it. busy during an exchange that blocks, or a step beside;
  /// settled: see settled().
  Result<float> step() noexcept;

  /// The same for a thread of its own, which the protocol never waits for, nor the other way round:
  ///
  ///     lock();  status = agent.begin_step(aside);  unlock();   // copies the model
  ///     loss = agent.work(aside);                               // as long as it takes
  ///     lock();  agent.end_step(aside);  unlock();              // adds what the step has changed
  ///
  /// begin_step() and end_step() are calls like any others; work() may run at the same time as these, but for step(),
  /// restore() and init(). busy: another such step has not ended, or steps are taken at exchanges (local_steps > 0, or
  /// blocking averaging); settled; scratch_too_small: see SideStep::size().
  [[nodiscard]] Status begin_step(SideStep& aside) noexcept;
  /// The loss of its batch before the step.
  float work(SideStep& aside) noexcept;
  /// A step is dropped if a partner's model was taken over meanwhile: it belonged to another.
  void end_step(const SideStep& aside) noexcept;

  /// A peer that can be reached, or what is now known of the path to it. no_room when all places are taken.
  [[nodiscard]] Status add_peer(PeerId id, LinkTraits traits) noexcept;
  /// The peer is out of reach: it is not chosen any more. An exchange with it goes on if it can.
  void remove_peer(PeerId id) noexcept;
  /// The link to the peer is closed, so that nothing can come from it under this id any more: it is removed, and an exchange with
  /// it ends at once instead of when it has waited for long enough. A responder that has said READY stays in doubt.
  void lost_peer(PeerId id, Time now) noexcept;

  /// Offers an exchange to this peer now. busy during another one; unknown_peer; budget_spent: see Privacy.
  [[nodiscard]] Status meet(PeerId id, Time now) noexcept;

  /// A frame has come. Whatever it holds, at worst it is dropped and counted. `frame` is only read during the
  /// call and must be 8-aligned.
  void receive(PeerId from, std::span<const std::byte> frame, Time now) noexcept;

  struct Outgoing {
    PeerId to;
    std::size_t size;  ///< bytes
  };
  /// The next frame to send, written to `bytes` (8-aligned; as long as the shorter of largest_frame and the largest mtu of a
  /// peer, and at least 256: what does not fit is not sent, and counted as no_room); none when there is nothing to send now. To be called until then, after every other call and at every deadline.
  [[nodiscard]] std::optional<Outgoing> send(std::span<std::byte> bytes, Time now) noexcept;

  /// When send() must be called again if nothing else happens before. Never further away than a day.
  [[nodiscard]] Time deadline(Time now) const noexcept;

  /// Bytes that a slot of the store needs for save(); 0 for a configuration init() will refuse.
  [[nodiscard]] static std::uint64_t checkpoint_size(const AgentConfig& config, std::size_t parameters,
                                                     std::size_t tensors = 1,
                                                     Numeric numeric = Numeric::float32) noexcept;
  /// Saves the model, the counters, what is usual of partners' distances, and which blocks of which exchanges it has
  /// applied: all of one moment, so that after a restart it neither denies what it did nor believes what it did not.
  /// At any time, also during an exchange: what is not applied yet is then not saved. Peers and velocity are not.
  /// Errors: see checkpoint::save. With privacy it also pays for releases in advance.
  [[nodiscard]] Status save(Store& store) const noexcept;
  /// The same into a store that is not durable yet when it says so: nothing is released on the strength of it before saved().
  [[nodiscard]] Status stage(Store& store) const noexcept;
  /// What was staged last is durable now.
  void saved() const noexcept;
  /// To be called after init(), when the device starts again: goes on from the last checkpoint. Of a checkpoint made
  /// with another block_length or `finished` it takes model and counter only. busy during an exchange or a step beside; otherwise see
  /// checkpoint::load: after an error of the store, or checkpoint_changed, the model has to be given anew. With privacy: a
  /// checkpoint that is laid out otherwise, or was made without, is checkpoint_unaccounted; and after all errors but
  /// no_checkpoint, a first start, nobody knows what was spent, and the agent meets nobody.
  [[nodiscard]] Status restore(Store& store, Time now) noexcept;

  [[nodiscard]] bool exchanging() const noexcept;
  [[nodiscard]] bool fresh() const noexcept;
  /// Its step size has fallen below its schedule's `settle`: it goes on averaging, and takes no steps, neither its own nor
  /// the application's, unless averaging takes its counter back.
  [[nodiscard]] bool settled() const noexcept;
  [[nodiscard]] StepCounter counter() const noexcept;
  /// How far away partners' models are as a rule: the median root mean square of what the first block's gate remembers; 0: not
  /// known, or there is no gate.
  [[nodiscard]] float distance() const noexcept;
  [[nodiscard]] const AgentMetrics& metrics() const noexcept;

 private:
  struct State;
  template <typename Weight>
  Status init_fixed(const AgentConfig& config, const Model& model, const FixedGradient<Weight>& gradient,
                    FixedBatchSource source, const FixedSchedule& schedule, std::span<std::int32_t> scratch,
                    std::span<std::byte> workspace, Time now) noexcept;

  State* state_ = nullptr;  // in the workspace
};

}  // namespace popsgd
