// What a device learns: samples from its sensor, a model of them, and the model's memory.
#pragma once

#include "share.h"

#include <popsgd/agent.h>
#include <popsgd/fixed_network.h>
#include <popsgd/network.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace firmware {

/// Softmax regression of a sensor's samples. A Sensor has kFeatures, kClasses, kFraction, kFingerprint and next(), as Digits.
class Learner {
 public:
  /// Begins anew: init() of the agent with this model. `seed`: of the sensor.
  [[nodiscard]] virtual popsgd::Status begin(popsgd::Agent& agent, popsgd::AgentConfig& config,
                                             std::uint64_t seed, std::span<std::byte> workspace,
                                             popsgd::Time now) noexcept = 0;

 protected:
  /// Calls recognise(sample) for so many, from a new sensor, or wearer, every so often.
  template <class Sensor, class Recognise>
  static std::size_t count(std::size_t samples, Recognise recognise) noexcept {
    constexpr std::uint64_t kSeed = 0x9E3779B97F4A7C15;
    constexpr std::size_t kOfOne = 16;
    std::size_t right = 0;
    for (std::size_t k = 0; k < samples;) {
      Sensor sensor(kSeed + k);
      for (std::size_t of_one = 0; of_one < kOfOne && k < samples; ++of_one, ++k)
        right += recognise(sensor.next());
    }
    return right;
  }

  Learner() = default;
  Learner(const Learner&) = default;
  Learner(Learner&&) = default;
  Learner& operator=(const Learner&) = default;
  Learner& operator=(Learner&&) = default;
  ~Learner() = default;  // whoever made it ends it
};

/// In integers of 16 bits, the only kind for a core without floating point.
template <class Sensor>
class FixedLearner final : public Learner {
 public:
  static constexpr std::size_t kParameters = (Sensor::kFeatures + 1) * Sensor::kClasses;

  explicit FixedLearner(Share share = {}) noexcept : share_(share) {}

  popsgd::Status begin(popsgd::Agent& agent, popsgd::AgentConfig& config, std::uint64_t seed,
                       std::span<std::byte> workspace, popsgd::Time now) noexcept override {
    const auto network = Network::make(kWidths, popsgd::Loss::cross_entropy, kFormats);
    if (!network.ok()) return network.status();
    network_ = network.value();
    network_.layout(layout_);
    sensor_ = Sensor(seed, share_);
    model_ = {};
    config.fingerprint = Sensor::kFingerprint;
    const popsgd::FixedBatchSource source{[](void* sensor) noexcept -> const popsgd::FixedBatch& {
                                            return static_cast<Sensor*>(sensor)->next();
                                          },
                                          &sensor_};
    return agent.init(config, model_, layout_, network_.gradient(1), source,
                      {.eta = {.mantissa = 3U << 29, .shift = 35}}, scratch_, workspace, now);  // 3/64
  }

  /// Of so many samples of all classes, always the same ones, which it does not learn from: those it recognises.
  [[nodiscard]] std::size_t recognised(std::size_t samples) noexcept {
    return count<Sensor>(samples, [this](const popsgd::FixedBatch& batch) {
      return network_.evaluate(model_, batch, scratch_).correct;
    });
  }

  /// The parameters as they lie in memory.
  [[nodiscard]] std::span<const std::byte> model() const noexcept { return std::as_bytes(std::span(model_)); }

 private:
  using Network = popsgd::FixedNetwork<std::int16_t, std::int16_t>;
  static constexpr std::array<std::uint32_t, 2> kWidths{Sensor::kFeatures, Sensor::kClasses};
  static constexpr std::array<popsgd::LayerFormat, 1> kFormats{{{.weights = 12, .biases = 12}}};

  Share share_;
  Network network_;
  Sensor sensor_{0};
  std::array<std::int16_t, kParameters> model_{};
  std::array<popsgd::Tensor, 2> layout_{};
  std::array<std::int32_t, Sensor::kClasses + 2 * ((Sensor::kClasses + 1) / 2)> scratch_{};
};

/// In float32. It averages with those that learn in integers.
template <class Sensor>
class FloatLearner final : public Learner {
 public:
  static constexpr std::size_t kParameters = (Sensor::kFeatures + 1) * Sensor::kClasses;

  explicit FloatLearner(Share share = {}) noexcept : share_(share) {}

  popsgd::Status begin(popsgd::Agent& agent, popsgd::AgentConfig& config, std::uint64_t seed,
                       std::span<std::byte> workspace, popsgd::Time now) noexcept override {
    const auto network = popsgd::Network::make(kWidths, popsgd::Loss::cross_entropy);
    if (!network.ok()) return network.status();
    network_ = network.value();
    sensor_ = Sensor(seed, share_);
    model_ = {};
    config.fingerprint = Sensor::kFingerprint;
    config.schedule.eta = 3.0F / 64;
    const popsgd::BatchSource source{[](void* self) noexcept -> const popsgd::Batch& {
                                       auto& learner = *static_cast<FloatLearner*>(self);
                                       return learner.in_floats(learner.sensor_.next());
                                     },
                                     this};
    return agent.init(config, popsgd::Model(model_, kLayout), network_.gradient(1), source, {}, scratch_,
                      workspace, now);
  }

  /// As FixedLearner's.
  [[nodiscard]] std::size_t recognised(std::size_t samples) noexcept {
    return count<Sensor>(samples, [this](const popsgd::FixedBatch& batch) {
      return network_.evaluate(model_, in_floats(batch), scratch_).correct;
    });
  }

  /// The parameters as they lie in memory.
  [[nodiscard]] std::span<const std::byte> model() const noexcept { return std::as_bytes(std::span(model_)); }

 private:
  static constexpr std::array<std::uint32_t, 2> kWidths{Sensor::kFeatures, Sensor::kClasses};
  static constexpr std::array<popsgd::Tensor, 2> kLayout{
      {{.length = Sensor::kFeatures * Sensor::kClasses}, {.length = Sensor::kClasses}}};

  const popsgd::Batch& in_floats(const popsgd::FixedBatch& batch) noexcept {
    constexpr float kUnit = 1.0F / (1 << Sensor::kFraction);
    for (std::size_t k = 0; k < features_.size(); ++k)
      features_[k] = static_cast<float>(batch.features[k]) * kUnit;
    batch_ = {.rows = 1, .features = features_, .labels = batch.labels};
    return batch_;
  }

  Share share_;
  popsgd::Network network_;
  Sensor sensor_{0};
  std::array<float, kParameters> model_{};
  std::array<float, Sensor::kFeatures> features_{};
  popsgd::Batch batch_{};
  std::array<float, 4 * Sensor::kClasses> scratch_{};
};

}  // namespace firmware
