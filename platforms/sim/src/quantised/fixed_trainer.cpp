#include "quantised/fixed_trainer.h"

#include <popsgd/sim/error.h>

#include <algorithm>
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

template <typename Weight>
class TrainerOf final : public FixedTrainer {
  using Net = FixedNetwork<Weight, std::int16_t>;

 public:
  TrainerOf(const Problem& problem, const Settings& settings, const Shards& shards, std::size_t workers)
      : random_(problem.initial_random()),
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

  std::uint64_t step(std::size_t worker, Model& model, std::uint32_t agent, std::uint64_t draw,
                     std::uint32_t lane, std::uint64_t step, FixedRate rate, Random& noise) override {
    Memory& memory = memory_[worker];
    const Batch& batch = memory.sampler.draw(agent, draw, lane, step);
    to_fixed(batch.features, memory.features);
    std::uint64_t saturated = 0;
    network_.step(
        model.as<Weight>(),
        {.rows = batch.rows, .features = memory.features, .fraction = kFraction, .labels = batch.labels},
        rate, noise, memory.scratch, saturated);
    return saturated;
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
  };

  const Random random_;
  std::vector<LayerFormat> formats_;
  std::vector<Tensor> layout_;
  Net network_;
  std::vector<Memory> memory_;
};

}  // namespace

std::unique_ptr<FixedTrainer> make_fixed_trainer(Numeric kind, const Problem& problem,
                                                 const Settings& settings, const Shards& shards,
                                                 std::size_t workers) {
  check(kind, problem, settings);
  if (kind == Numeric::int16)
    return std::make_unique<TrainerOf<std::int16_t>>(problem, settings, shards, workers);
  return std::make_unique<TrainerOf<std::int8_t>>(problem, settings, shards, workers);
}

}  // namespace popsgd::sim
