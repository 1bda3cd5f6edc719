#include "quantised/snapshot.h"

namespace popsgd::sim {

void Snapshot::take(const Model& model, bool as_floats) {
  layout_ = model.layout();
  integer_ = model.integer() && !as_floats;
  if (integer_)
    model.to_integers(integers_);
  else
    model.to_floats(floats_);
}

void Snapshot::rotate(std::uint32_t name) {
  std::size_t offset = 0;
  for (std::size_t k = 0; k < layout_.size(); ++k) {
    const std::size_t length = layout_[k].length;
    if (integer_)
      lattice::rotate(lattice::Points(integers_).subspan(offset, length), signs_of(name, k));
    else
      lattice::rotate(Params(floats_).subspan(offset, length), signs_of(name, k));
    offset += length;
  }
}

lattice::Values Snapshot::tensor(std::size_t k, std::size_t offset) const {
  const std::size_t length = layout_[k].length;
  if (!integer_) return lattice::Values(ConstParams(floats_).subspan(offset, length));
  return {lattice::ConstPoints(integers_).subspan(offset, length), layout_[k].fraction};
}

}  // namespace popsgd::sim
