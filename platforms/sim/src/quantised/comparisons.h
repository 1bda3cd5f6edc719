// What quantised exchanges are compared with: float models only.
#pragma once

#include "quantised/exchange.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace popsgd::sim {

/// Each tensor as 8-bit multiples of its largest value / 127, rounded stochastically by each sender alone, and the scale
/// as a float; both adopt the mean of their own model and the other's as decoded.
class PlainInt8Exchange final : public Exchange {
 public:
  explicit PlainInt8Exchange(std::size_t parameters)
      : decoded_{std::vector<float>(parameters), std::vector<float>(parameters)} {}

  Toll meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t name) override;

 private:
  std::vector<float> decoded_[2];
};

/// Each chooses the tenth of its parameters that have moved furthest since they were last averaged (its reference), and
/// says which by a bit a parameter; of those that either chose, both send their floats and adopt the averages.
class TopTenthExchange final : public Exchange {
 public:
  explicit TopTenthExchange(std::size_t parameters) : moved_(parameters), chosen_(parameters) {}

  void prepare(LearningAgent& agent) const override;
  Toll meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t name) override;

 private:
  void choose(const LearningAgent& agent);

  std::vector<float> moved_;
  std::vector<char> chosen_;
};

}  // namespace popsgd::sim
