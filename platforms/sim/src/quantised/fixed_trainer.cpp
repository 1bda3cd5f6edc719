#include "quantised/fixed_trainer.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace popsgd::sim {
namespace {

constexpr std::int8_t kFraction = 8;  // of features

void check(Numeric kind, const Problem& problem, const Settings& settings) {
  const auto refuse = [&](const std::string& why) {
    throw Error("--numeric " + std::string(text(kind)) + " " + why);
  };
  if (problem.network() == nullptr || !problem.classifies())
    refuse("learns data with classes; use float32 for this --data");
  if (settings.sgd.momentum > 0) refuse("has no momentum; leave --momentum at 0");
  if (settings.sgd.weight_decay > 0) refuse("has no weight decay; leave --weight-decay at 0");
}

void to_fixed(std::span<const float> features, std::span<std::int16_t> out) {
  for (std::size_t k = 0; k < out.size(); ++k) {
    const float units = std::clamp(features[k] * (1 << kFraction), -32768.0F, 32767.0F);
    out[k] = static_cast<std::int16_t>(static_cast<std::int32_t>(units + 32768.5F) - 32768);  // to nearest
  }
}

StepCounter counter(double steps) {
  return StepCounter::from_bits(static_cast<std::uint64_t>(std::llround(std::min(steps, 0x1p46) * 65536)));
}

template <typename Weight>
class TrainerOf final : public FixedTrainer {
  using Net = FixedNetwork<Weight, std::int16_t>;

 public:
  TrainerOf(const Problem& problem, const Settings& settings, const Shards& shards, std::size_t workers)
      : random_(problem.initial_random()),
        schedule_(fixed_schedule(settings.schedule)),
        batch_(settings.batch),
        formats_(problem.widths().size() - 1),
        layout_(2 * formats_.size()) {
    Net::choose_formats(problem.widths(), formats_);
    const auto made = Net::make(problem.widths(), problem.network()->loss(), formats_);
    if (!made.ok())
      throw Error("--numeric with --model " + problem.model() + ": " +
                  std::string(popsgd::text(made.status())));
    network_ = made.value();
    network_.layout(layout_);
    for (std::size_t k = 0; k < workers; ++k)
      memory_.emplace_back(problem, settings, shards, network_.scratch_size(settings.batch));
    if (settings.batch > Net::kMaxRows)
      throw Error("--numeric takes a --batch of at most " + std::to_string(Net::kMaxRows));
  }

  [[nodiscard]] Layout layout() const override { return layout_; }

  void initialise(Model& model) const override { network_.initialise(model.as<Weight>(), random_); }

  const FixedBatch& draw(std::size_t worker, std::uint32_t agent, std::uint64_t draw, std::uint32_t lane,
                         std::uint64_t step) override {
    Memory& memory = memory_[worker];
    const Batch& batch = memory.sampler.draw(agent, draw, lane, step);
    to_fixed(batch.features, memory.features);
    memory.batch = {
        .rows = batch.rows, .features = memory.features, .fraction = kFraction, .labels = batch.labels};
    return memory.batch;
  }

  std::uint64_t step(std::size_t worker, Model& model, std::uint32_t agent, std::uint64_t draw,
                     std::uint32_t lane, std::uint64_t step, FixedRate rate, Random& noise) override {
    const FixedBatch& batch = this->draw(worker, agent, draw, lane, step);
    std::uint64_t saturated = 0;
    network_.step(model.as<Weight>(), batch, rate, noise, memory_[worker].scratch, saturated);
    return saturated;
  }

  Status begin(Agent& agent, const AgentConfig& config, Model& model, FixedBatchSource source,
               std::span<std::byte> workspace, Time now) override {
    return agent.init(config, model.as<Weight>(), layout_, network_.gradient(batch_), source, schedule_,
                      memory_[0].scratch, workspace, now);
  }

 private:
  struct Memory {  // of one thread
    Memory(const Problem& problem, const Settings& settings, const Shards& shards, std::size_t words)
        : sampler(problem, shards, settings.batch, 0, Sampler::training(settings.seed)),
          features(settings.batch * problem.train().features),
          scratch(words) {}

    Sampler sampler;
    std::vector<std::int16_t> features;
    std::vector<std::int32_t> scratch;
    FixedBatch batch{};
  };

  const Random random_;
  const FixedSchedule schedule_;
  const std::size_t batch_;  // rows
  std::vector<LayerFormat> formats_;
  std::vector<Tensor> layout_;
  Net network_;
  std::vector<Memory> memory_;
};

}  // namespace

FixedTrainers make_fixed_trainers(const Problem& problem, const Settings& settings, const Shards& shards,
                                  std::size_t workers) {
  FixedTrainers trainers;
  for (const Numeric kind : settings.numerics) {
    auto& trainer = trainers[static_cast<std::size_t>(kind)];
    if (kind == Numeric::float32 || trainer != nullptr) continue;
    check(kind, problem, settings);
    if (kind == Numeric::int16)
      trainer = std::make_unique<TrainerOf<std::int16_t>>(problem, settings, shards, workers);
    else
      trainer = std::make_unique<TrainerOf<std::int8_t>>(problem, settings, shards, workers);
  }
  return trainers;
}

FixedSchedule fixed_schedule(const Schedule& schedule) {
  FixedSchedule fixed{.shape = schedule.shape,
                      .eta = FixedRate::from(static_cast<double>(schedule.eta)),
                      .horizon = counter(schedule.horizon),
                      .breakpoint_count = schedule.breakpoint_count,
                      .settle = FixedRate::from(static_cast<double>(schedule.settle))};
  for (std::size_t k = 0; k < schedule.breakpoint_count; ++k) {
    const Schedule::Breakpoint& at = schedule.breakpoints[k];
    fixed.breakpoints[k] = {counter(at.steps), FixedRate::from(static_cast<double>(at.factor))};
  }
  return fixed;
}

}  // namespace popsgd::sim
