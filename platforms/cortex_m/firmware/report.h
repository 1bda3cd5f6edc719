// How a device does, for whoever watches it: a line of JSON with the names that popsgd agent's lines have.
#pragma once

#include "node.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace firmware {

/// A learner of any kind that can be asked how it does: what a device that nobody watches has no use for.
class Pupil {
 public:
  [[nodiscard]] virtual Learner& learner() noexcept = 0;
  [[nodiscard]] virtual std::size_t recognised(std::size_t samples) noexcept = 0;
  [[nodiscard]] virtual std::span<const std::byte> model() const noexcept = 0;

 protected:
  ~Pupil() = default;  // whoever made it ends it
};

template <class Kind>
class PupilOf final : public Pupil {
 public:
  explicit PupilOf(Share share) noexcept : learner_(share) {}
  Learner& learner() noexcept override { return learner_; }
  std::size_t recognised(std::size_t samples) noexcept override { return learner_.recognised(samples); }
  [[nodiscard]] std::span<const std::byte> model() const noexcept override { return learner_.model(); }

 private:
  Kind learner_;
};

/// `event`: "status", or "result" of the last one. Of 200 samples of all classes it says how many are recognised.
void report(const char* event, std::uint32_t seconds, const Node& node, Pupil& pupil) noexcept;

/// Which model it has: the CRC-32C of its bytes.
void report_model(const char* event, const Pupil& pupil) noexcept;

}  // namespace firmware
