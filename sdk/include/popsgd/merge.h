// The interaction of PopSGD: two models move to their average.
#pragma once

#include <popsgd/gradient.h>

namespace popsgd {

/// Both models become their average (PopSGD, Algorithm 1). Same length; the two must not overlap.
/// The sum of the two is conserved to rounding.
void adopt_average(Params a, Params b) noexcept;

/// The half of an exchange that one side applies when local steps may have gone on since the snapshots were
/// taken: x <- x + weight * (theirs - mine). The partner, who calls it with the snapshots
/// exchanged, adds the opposite, so the swarm's mean is conserved. weight = 1/2 moves both to the average.
void apply_delta(Params x, ConstParams mine, ConstParams theirs, float weight = 0.5F) noexcept;

/// Squared Euclidean distance, accumulated in double over blocks.
[[nodiscard]] double squared_distance(ConstParams a, ConstParams b) noexcept;

}  // namespace popsgd
