#include "quantised/raw.h"

#include "quantised/wire.h"

#include <popsgd/merge.h>

#include <algorithm>

namespace popsgd::sim {
namespace {

using lattice::Side;

}  // namespace

lattice::Rounding rounding_of(const Model& a, const Model& b, std::size_t k, std::uint32_t name,
                              std::size_t offset) {
  const int of_a = a.layout()[k].fraction;
  const int of_b = b.layout()[k].fraction;
  const int fraction = !a.integer() ? of_b : !b.integer() ? of_a : std::min(of_a, of_b);
  return {fraction, lattice::coins_of(name).from(offset)};
}

RawExchange::RawExchange(std::size_t parameters, bool frames)
    : frames_(frames), initiators_(parameters), responders_(parameters), points_(parameters) {}

std::uint64_t RawExchange::bytes(const Model& a, const Model& b) const {
  const std::uint64_t of_a = a.parameters() * a.number_size();
  const std::uint64_t of_b = b.parameters() * b.number_size();
  return frames_ ? wire::exchange(of_a, of_b) : of_a + of_b;
}

Toll RawExchange::meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t name) {
  Model& a = initiator.model;
  Model& b = responder.model;
  Toll toll{.bytes = bytes(a, b)};
  if (!a.integer() && !b.integer()) {
    adopt_average(a.as<float>(), b.as<float>());
    return toll;
  }
  initiators_.take(a);
  responders_.take(b);
  std::size_t offset = 0;
  for (std::size_t k = 0; k < a.layout().size(); ++k) {
    const lattice::Rounding rounding = rounding_of(a, b, k, name, offset);
    const lattice::Lattice units{-rounding.fraction, lattice::dither_of(name).from(offset)};
    const auto points = lattice::Points(points_).subspan(offset, a.layout()[k].length);
    lattice::quantise(responders_.tensor(k, offset), units, points);
    const lattice::Gap gap =
        lattice::difference(Side::initiator, initiators_.tensor(k, offset), units, points, units.exponent);
    toll.saturated += a.move(k, offset, gap, Side::initiator, &rounding);
    toll.saturated += b.move(k, offset, gap, Side::responder, &rounding);
    offset += points.size();
  }
  return toll;
}

}  // namespace popsgd::sim
