#include "quantised/fixed_trainer.h"
#include "quantised/model.h"
#include "sampler.h"

#include <popsgd/sim/device.h>

#include <vector>

namespace popsgd::sim {

class Device::Kind {
 public:
  Kind(const Problem& problem, Numeric numeric, Layout layout, std::uint32_t index, std::uint64_t draws)
      : problem_(problem), model_(numeric, layout), index_(index), draw_(draws >> kDrawShift) {}
  virtual ~Kind() = default;
  Kind(const Kind&) = delete;
  Kind& operator=(const Kind&) = delete;
  Kind(Kind&&) = delete;
  Kind& operator=(Kind&&) = delete;

  virtual Status begin(Agent& agent, const AgentConfig& config, std::span<std::byte> workspace, Time now) = 0;
  [[nodiscard]] const Model& model() const { return model_; }

 protected:
  // Draws are numbered below 2^40: from anywhere in the lower half it is a long way up.
  static constexpr int kDrawShift = 64 - 39;

  const Problem& problem_;
  Model model_;
  std::uint32_t index_;
  std::uint64_t draw_;
};

class Device::Floats final : public Kind {
 public:
  Floats(const Problem& problem, const Settings& settings, const Shards& shards, std::vector<Tensor> layout,
         std::uint32_t index, std::uint64_t draws)
      : Kind(problem, Numeric::float32, layout, index, draws),
        layout_(std::move(layout)),
        gradient_(problem.gradient(settings.batch)),
        velocity_(settings.sgd.velocity_size(gradient_)),
        sampler_(problem, shards, settings.batch, settings.sgd.scratch_size(gradient_),
                 Sampler::training(settings.seed)) {}

  Status begin(Agent& agent, const AgentConfig& config, std::span<std::byte> workspace, Time now) override {
    problem_.initialise(model_.as<float>());
    const auto next = [](void* context) noexcept -> const Batch& {
      auto& device = *static_cast<Floats*>(context);
      return device.sampler_.draw(device.index_, device.draw_++, 0, 0);
    };
    return agent.init(config, popsgd::Model(model_.as<float>(), layout_), gradient_, {next, this}, velocity_,
                      sampler_.scratch(), workspace, now);
  }

 private:
  std::vector<Tensor> layout_;
  Gradient gradient_;
  std::vector<float> velocity_;
  Sampler sampler_;
};

class Device::Integers final : public Kind {
 public:
  Integers(const Problem& problem, Numeric numeric, std::unique_ptr<FixedTrainer> trainer,
           std::uint32_t index, std::uint64_t draws)
      : Kind(problem, numeric, trainer->layout(), index, draws), trainer_(std::move(trainer)) {}

  Status begin(Agent& agent, const AgentConfig& config, std::span<std::byte> workspace, Time now) override {
    trainer_->initialise(model_);
    const auto next = [](void* context) noexcept -> const FixedBatch& {
      auto& device = *static_cast<Integers*>(context);
      return device.trainer_->draw(0, device.index_, device.draw_++, 0, 0);
    };
    return trainer_->begin(agent, config, model_, {next, this}, workspace, now);
  }

 private:
  std::unique_ptr<FixedTrainer> trainer_;
};

Device::Device(const Problem& problem, const Settings& settings, const Shards& shards, std::uint32_t index,
               Numeric numeric, std::uint64_t draws) {
  if (numeric == Numeric::float32) {
    kind_ = std::make_unique<Floats>(problem, settings, shards, float_layout(problem), index, draws);
    return;
  }
  Settings of_one = settings;
  of_one.numerics = {numeric};
  FixedTrainers trainers = make_fixed_trainers(problem, of_one, shards, 1);
  kind_ = std::make_unique<Integers>(problem, numeric, std::move(trainers[static_cast<std::size_t>(numeric)]),
                                     index, draws);
}

Device::~Device() = default;

std::size_t Device::parameters() const {
  return kind_->model().parameters();
}
std::size_t Device::tensors() const {
  return kind_->model().layout().size();
}
Numeric Device::numeric() const {
  return kind_->model().kind();
}

Status Device::begin(Agent& agent, const AgentConfig& config, std::span<std::byte> workspace, Time now) {
  return kind_->begin(agent, config, workspace, now);
}

void Device::copy_model(Params into) const {
  kind_->model().to_floats(into);
}

}  // namespace popsgd::sim
