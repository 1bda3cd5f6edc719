// Pure gradient noise, whose stationary consensus distance is known, and how closely it is measured.
#pragma once

#include "statistics.h"

#include <popsgd/sim/problem.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include <doctest/doctest.h>

namespace popsgd::test {

/// Means over 60 batches: Student's t with 59 degrees of freedom, beyond 6 with probability 1.3e-7.
inline constexpr std::size_t kBatches = 60;
inline constexpr double kMostDeviations = 6;

inline constexpr double kEta = 0.125;
inline constexpr std::uint64_t kSeed = 42;

/// sigma = 1 in 16 dimensions.
inline const sim::Problem& noise() {
  static const sim::Problem kProblem(sim::DataSpec::parse("noise:d=16,noise=1,samples=20000"), "", kSeed);
  return kProblem;
}

/// The series' mean is `expected`, and known to 0.3%. False alarms: 1.3e-7.
inline void check_stationary(std::span<const double> series, double expected) {
  const Estimate measured = batch_means(series, kBatches);
  CAPTURE(kSeed);
  CAPTURE(expected);
  CAPTURE(measured.mean);
  CAPTURE(measured.error);
  CHECK(measured.error < 0.003 * expected);
  CHECK(std::fabs(measured.mean - expected) < 0.01 * expected);
  CHECK(measured.deviation(expected) < kMostDeviations);
}

}  // namespace popsgd::test
