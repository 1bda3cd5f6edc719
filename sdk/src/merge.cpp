#include "numeric/kernels.h"

#include <popsgd/assert.h>
#include <popsgd/merge.h>

namespace popsgd {

void adopt_average(Params a, Params b) noexcept {
  POPSGD_ASSERT(a.size() == b.size());
  numeric::average(a.size(), a.data(), b.data());
}

void apply_delta(Params x, ConstParams mine, ConstParams theirs, float weight) noexcept {
  POPSGD_ASSERT(x.size() == mine.size() && x.size() == theirs.size());
  numeric::add_difference(x.size(), weight, mine.data(), theirs.data(), x.data());
}

double squared_distance(ConstParams a, ConstParams b) noexcept {
  POPSGD_ASSERT(a.size() == b.size());
  return numeric::squared_distance(a.size(), a.data(), b.data());
}

}  // namespace popsgd
