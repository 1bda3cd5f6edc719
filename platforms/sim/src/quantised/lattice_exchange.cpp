#include "quantised/lattice_exchange.h"

#include "quantised/wire.h"

#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/gap.h>

#include <algorithm>

namespace popsgd::sim {
namespace {

lattice::Lattice grid(int exponent, std::uint32_t name, std::size_t offset) {
  return {exponent, lattice::dither_of(name).from(offset)};
}

// Calls use(k, offset) for each tensor.
template <typename Use>
void each_tensor(Layout layout, Use use) {
  std::size_t offset = 0;
  for (std::size_t k = 0; k < layout.size(); ++k) {
    use(k, offset);
    offset += layout[k].length;
  }
}

std::uint64_t sent(Layout layout, int bits) {
  std::uint64_t bytes = 1 + layout.size() + wire::kChecksum;
  for (const Tensor& tensor : layout) bytes += lattice::packed_size(tensor.length, bits);
  return bytes;
}

}  // namespace

LatticeExchange::Side::Side(std::size_t parameters)
    : mine(parameters), packed(2 * parameters), theirs(parameters) {}

LatticeExchange::LatticeExchange(const Encoding& encoding, std::size_t parameters)
    : encoding_(encoding), raw_(parameters, true), initiator_(parameters), responder_(parameters) {}

void LatticeExchange::prepare(LearningAgent& agent) const {
  agent.estimates.resize(agent.model.layout().size());
}

Toll LatticeExchange::meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t name) {
  const auto unknown = [](const lattice::StepEstimate& estimate) { return !estimate.known(); };
  begin(initiator_, initiator, name);
  begin(responder_, responder, name);
  if (!encoding_.exponent && (std::ranges::any_of(initiator.estimates, unknown) ||
                              std::ranges::any_of(responder.estimates, unknown)))
    return meet_raw(name);

  const bool wary = encoding_.automatic && (initiator.distant || responder.distant);
  const int first = wary ? std::min(2 * encoding_.bits, lattice::kMostBits) : encoding_.bits;
  Toll toll;
  int bits = first;
  while (true) {
    const std::uint64_t bytes = sent(initiator.model.layout(), bits);
    toll.bytes += wire::exchange(bytes, bytes);
    if (come_through(bits, name)) break;
    toll.wrapped = 1;
    if (bits == lattice::kMostBits) return toll += meet_raw(name);
    bits = std::min(2 * bits, lattice::kMostBits);
  }
  toll.saturated = move(initiator_, responder_, lattice::Side::initiator, name) +
                   move(responder_, initiator_, lattice::Side::responder, name);
  remember(initiator_, bits);
  remember(responder_, bits);
  return toll;
}

void LatticeExchange::begin(Side& side, LearningAgent& agent, std::uint32_t name) const {
  side.agent = &agent;
  side.mine.take(agent.model);
  if (encoding_.rotate) side.mine.rotate(name);
  side.exponents.resize(agent.estimates.size());
  side.seen.resize(agent.estimates.size());
  each_tensor(agent.model.layout(),
              [&](std::size_t k, std::size_t offset) { side.exponents[k] = exponent(side, k, offset); });
}

int LatticeExchange::exponent(const Side& side, std::size_t k, std::size_t offset) const {
  if (encoding_.exponent) return *encoding_.exponent;
  return side.agent->estimates[k].exponent(encoding_.bits,
                                           lattice::finest_exponent(side.mine.tensor(k, offset)));
}

bool LatticeExchange::come_through(int bits, std::uint32_t name) {
  send(initiator_, bits, name);
  send(responder_, bits, name);
  const bool there = receive(initiator_, responder_, bits, name);
  const bool back = receive(responder_, initiator_, bits, name);
  return there && back;
}

void LatticeExchange::send(Side& from, int bits, std::uint32_t name) {
  auto packed = std::span(from.packed);
  from.checksum = 0;
  each_tensor(from.agent->model.layout(), [&](std::size_t k, std::size_t offset) {
    const lattice::Values y = from.mine.tensor(k, offset);
    const lattice::Lattice points = grid(from.exponents[k], name, offset);
    const std::size_t size = lattice::packed_size(y.size(), bits);
    lattice::encode(y, points, bits, packed.first(size));
    packed = packed.subspan(size);
    from.checksum = lattice::checksum(y, points, from.checksum);
  });
}

bool LatticeExchange::receive(const Side& from, Side& to, int bits, std::uint32_t name) {
  auto packed = std::span(from.packed);
  std::uint32_t checksum = 0;
  each_tensor(to.agent->model.layout(), [&](std::size_t k, std::size_t offset) {
    const lattice::Values own = to.mine.tensor(k, offset);
    const std::size_t size = lattice::packed_size(own.size(), bits);
    const auto points = lattice::Points(to.theirs).subspan(offset, own.size());
    const std::uint32_t steps =
        lattice::decode(packed.first(size), own, grid(from.exponents[k], name, offset), bits, points);
    packed = packed.subspan(size);
    checksum = lattice::checksum(points, checksum);
    to.seen[k] = {steps, from.exponents[k]};
  });
  return checksum == from.checksum;
}

std::size_t LatticeExchange::move(Side& side, const Side& other, lattice::Side role,
                                  std::uint32_t name) const {
  Model& model = side.agent->model;
  const Model& partner = other.agent->model;
  const bool floats = !model.integer() && !partner.integer();
  std::size_t saturated = 0;
  each_tensor(model.layout(), [&](std::size_t k, std::size_t offset) {
    const auto theirs = lattice::Points(side.theirs).subspan(offset, model.layout()[k].length);
    lattice::Gap gap = lattice::difference(role, side.mine.tensor(k, offset),
                                           grid(side.exponents[k], name, offset), theirs, other.exponents[k]);
    if (encoding_.rotate) gap = lattice::rotate_back(gap, signs_of(name, k));
    const lattice::Rounding rounding = rounding_of(model, partner, k, name, offset);
    saturated += model.move(k, offset, gap, role, floats ? nullptr : &rounding);
  });
  return saturated;
}

// `bits` have been enough.
void LatticeExchange::remember(Side& side, int bits) const {
  const std::uint32_t reach = (1U << (encoding_.bits - 1)) - 1;
  side.agent->distant = false;
  for (std::size_t k = 0; k < side.seen.size(); ++k) {
    side.agent->estimates[k].observe(side.seen[k]);
    if (bits > encoding_.bits && side.seen[k].steps > reach) side.agent->distant = true;
  }
}

Toll LatticeExchange::meet_raw(std::uint32_t name) {
  for (Side* side : {&initiator_, &responder_}) {
    side->mine.take(side->agent->model, true);
    if (encoding_.rotate) side->mine.rotate(name);
  }
  each_tensor(initiator_.agent->model.layout(), [&](std::size_t k, std::size_t offset) {
    const lattice::Distance apart =
        lattice::furthest_apart(initiator_.mine.tensor(k, offset), responder_.mine.tensor(k, offset));
    initiator_.agent->estimates[k].observe(apart);
    responder_.agent->estimates[k].observe(apart);
  });
  return raw_.meet(*initiator_.agent, *responder_.agent, name);
}

}  // namespace popsgd::sim
