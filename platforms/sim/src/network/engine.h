// Agents, links and events: one virtual network.
#pragma once

#include "network/adversary.h"
#include "network/contacts.h"
#include "network/crashes.h"
#include "network/event_queue.h"
#include "network/frame_pool.h"
#include "network/invariants.h"
#include "network/links.h"
#include "network/seeded_entropy.h"
#include "network/shadows.h"
#include "quantised/fixed_trainer.h"
#include "quantised/model.h"
#include "sampler.h"
#include "swarm.h"

#include <popsgd/sim/network.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace popsgd::sim {

class NetworkEngine final : public NetworkAlgorithm {
 public:
  NetworkEngine(const Problem& problem, const Settings& settings, const Topology& topology,
                const Shards& shards, const NetworkSettings& network);
  NetworkEngine(const NetworkEngine&) = delete;  // agents point into it
  NetworkEngine& operator=(const NetworkEngine&) = delete;

  void run_until(std::uint64_t interactions) override;
  void run_for(std::uint64_t milliseconds) override;
  [[nodiscard]] std::uint32_t models() const override {
    return static_cast<std::uint32_t>(adversary_.honest().size());
  }
  [[nodiscard]] ConstParams model(std::uint32_t index) const override {
    return swarm_[adversary_.honest()[index]];
  }
  [[nodiscard]] Account account() const override;
  [[nodiscard]] NetworkTotals totals() const override;

 private:
  static constexpr std::uint64_t kGuard = 0x5AFE'5AFE'5AFE'5AFEU;  // behind every workspace

  /// Privacy is not final, and ends only as a part.
  struct NodePrivacy {
    NodePrivacy(const Privacy::Settings& settings, Entropy& entropy) : own(settings, entropy) {}
    Privacy own;
  };
  struct Node {
    NetworkEngine* engine = nullptr;
    std::uint32_t index = 0;
    std::uint64_t steps = 0;
    std::uint64_t due = 0;    // when the agent wants to be called, in microseconds
    std::uint64_t timer = 0;  // the order of its timer event; older ones are void
    std::uint64_t timer_at = 0;
    std::uint64_t save_at = 0;
    std::uint64_t steps_seen = 0;  // when it was last looked at
    std::uint64_t releases_seen = 0;
    Random seeds{0, Purpose::network};  // another at every start
    bool up = false;
    std::span<std::uint64_t> workspace{};  // and a guard behind it
    std::optional<SlotMemory> store{};
    std::optional<Model> integers{};  // if it is no float agent; its floats are a mirror then
    std::optional<SeededEntropy> entropy{};
    std::optional<NodePrivacy> privacy{};
    AgentMetrics past{};  // of its earlier lives
    Agent agent{};
  };

  [[nodiscard]] AgentConfig config_for(std::uint32_t index);
  [[nodiscard]] Numeric numeric_of(std::uint32_t index) const;
  [[nodiscard]] FixedTrainer& fixed_trainer(const Node& node) const;
  [[nodiscard]] std::size_t tensor_count() const;
  [[nodiscard]] LinkTraits traits() const;
  void start_agents();
  void protect_agents();
  void start(Node& node, AgentConfig config);
  void save_if_due(Node& node);
  void fail(Node& node);
  void restart(Node& node);
  void connect(Node& node);
  void change_contacts();
  void mirror(const Node& node, std::size_t offset, std::size_t length) const;
  [[nodiscard]] std::uint64_t next_draw(Node& node) const;
  static const Batch& next_batch(void* node) noexcept;
  static const FixedBatch& next_fixed_batch(void* node) noexcept;
  static void observe(void* node, const Applied& applied) noexcept;
  static float gradient(const void* engine, ConstParams at, const Batch& batch, float keep, float scale,
                        Params into, Scratch scratch) noexcept;

  void step();  // the next event
  void touched(Node& node);
  void send(Node& node, Time now, bool failing);
  void check_invariants(Node& node, Time now, bool stepped);
  void arrive(const Event& event);
  void expire(const Event& event);
  void transmit(std::uint32_t from, std::uint32_t to, std::span<const std::byte> frame);
  void set_timer(Node& node);
  [[nodiscard]] Time time() const;
  void note_divergence();
  [[nodiscard]] static AgentMetrics metrics(const Node& node);  // of all its lives

  const Problem& problem_;
  const Settings& settings_;
  const Topology& topology_;
  const NetworkSettings network_;
  const Gradient inner_;
  const std::vector<Tensor> layout_;  // of float models, where each tensor has a step or a unit of its own
  const FixedTrainers fixed_trainers_;
  Swarm swarm_;
  Adversary adversary_;
  std::optional<Swarm> velocities_;
  Sampler sampler_;
  Links links_;
  Crashes crashes_;
  std::unique_ptr<Contacts> contacts_{};  // null: always open
  FramePool frames_;
  EventQueue events_{};
  Invariants invariants_{};
  std::optional<Shadows> shadows_{};  // if invariants are checked
  std::vector<Node> nodes_;
  std::vector<std::uint64_t> workspaces_{};
  std::vector<std::uint64_t> outgoing_;
  std::uint64_t now_ = 0;      // microseconds
  std::uint32_t speaker_ = 0;  // the agent whose frame arrived last
  std::uint64_t completed_ = 0;
  std::uint64_t with_byzantine_ = 0;
  std::uint64_t completed_at_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t one_sided_ = 0;
  std::uint64_t crashed_ = 0;
  std::uint64_t restored_ = 0;
  mutable bool finite_ = true;  // of every loss so far; set through the const context of a gradient
};

}  // namespace popsgd::sim
