#include "quantised/lattice_exchange.h"

#include "quantised/wire.h"

#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/gap.h>

#include <algorithm>
#include <utility>

namespace popsgd::sim {
namespace {

lattice::Lattice grid(int exponent, std::uint32_t name, std::size_t offset) {
  return {exponent, lattice::dither_of(name).from(offset)};
}

int wider(int bits, int by) {
  return std::min(bits + by, lattice::kMostBits);
}

// Bits more than before of the first attempt after a wrap, and of those that follow, as devices have it.
constexpr int kMore = 1;
constexpr int kManyMore = 8;
constexpr int kWary = 2;

// Calls use(k, offset) for each tensor.
template <typename Use>
void each_tensor(Layout layout, Use use) {
  std::size_t offset = 0;
  for (std::size_t k = 0; k < layout.size(); ++k) {
    use(k, offset);
    offset += layout[k].length;
  }
}

int width_of(const Tensor& tensor, const Model& model, int bits) {
  return lattice::bits_of(tensor.length, model.parameters(), bits);
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
  Toll toll{.bytes = wire::kControl};
  for (auto [from, to] : {std::pair(&initiator_, &responder_), std::pair(&responder_, &initiator_)}) {
    const int first = wary ? wider(encoding_.bits, kWary) : encoding_.bits;
    int bits = first;
    while (true) {
      toll.bytes += wire::framed(send(*from, bits, name));
      if (receive(*from, *to, bits, name)) break;
      toll.wrapped = 1;
      toll.bytes += from == &initiator_ ? wire::kReady : wire::kReady + wire::kAgain;
      if (bits == lattice::kMostBits) return toll += meet_raw(name);
      bits = wider(bits, bits == first ? kMore : kManyMore);
    }
  }
  toll.saturated = move(initiator_, responder_, lattice::Side::initiator, name) +
                   move(responder_, initiator_, lattice::Side::responder, name);
  remember(initiator_);
  remember(responder_);
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

bool LatticeExchange::tight() const {
  return lattice::tight(encoding_.bits, encoding_.rotate);
}

int LatticeExchange::exponent(const Side& side, std::size_t k, std::size_t offset) const {
  if (encoding_.exponent) return *encoding_.exponent;
  const int finest = lattice::finest_exponent(side.mine.tensor(k, offset));
  return side.agent->estimates[k].exponent(encoding_.bits, finest, tight());
}

std::size_t LatticeExchange::send(Side& from, int bits, std::uint32_t name) {
  const Model& model = from.agent->model;
  auto packed = std::span(from.packed);
  from.checksum = 0;
  each_tensor(model.layout(), [&](std::size_t k, std::size_t offset) {
    const int width = width_of(model.layout()[k], model, bits);
    const lattice::Values y = from.mine.tensor(k, offset);
    const lattice::Lattice points = grid(from.exponents[k], name, offset);
    const std::size_t size = lattice::packed_size(y.size(), width);
    lattice::encode(y, points, width, packed.first(size));
    packed = packed.subspan(size);
    from.checksum = lattice::checksum(y, points, from.checksum);
  });
  const std::size_t lead = model.integer() ? 2 : 1;  // bytes of a tensor
  return from.packed.size() - packed.size() + 1 + lead * model.layout().size();
}

bool LatticeExchange::receive(const Side& from, Side& to, int bits, std::uint32_t name) {
  const Model& model = to.agent->model;
  auto packed = std::span(from.packed);
  std::uint32_t checksum = 0;
  each_tensor(model.layout(), [&](std::size_t k, std::size_t offset) {
    const int width = width_of(model.layout()[k], model, bits);
    const lattice::Values own = to.mine.tensor(k, offset);
    const std::size_t size = lattice::packed_size(own.size(), width);
    const auto points = lattice::Points(to.theirs).subspan(offset, own.size());
    const std::uint32_t steps =
        lattice::decode(packed.first(size), own, grid(from.exponents[k], name, offset), width, points);
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

void LatticeExchange::remember(Side& side) const {
  LearningAgent& agent = *side.agent;
  agent.distant = false;
  for (std::size_t k = 0; k < side.seen.size(); ++k) {
    agent.estimates[k].observe(side.seen[k], tight());
    const int width = width_of(agent.model.layout()[k], agent.model, encoding_.bits);
    if (side.seen[k].steps >= 1U << (width - 1)) agent.distant = true;
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
    initiator_.agent->estimates[k].observe(apart, tight());
    responder_.agent->estimates[k].observe(apart, tight());
  });
  return raw_.meet(*initiator_.agent, *responder_.agent, name);
}

}  // namespace popsgd::sim
