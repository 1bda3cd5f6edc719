#include "quantised/comparisons.h"

#include "quantised/wire.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace popsgd::sim {
namespace {

void round_to_int8(const Model& model, Threefry random, std::uint32_t side, std::span<float> decoded) {
  const auto x = model.as<float>();
  std::size_t k = 0;
  for (const Tensor& tensor : model.layout()) {
    float largest = 0;
    for (const float value : x.subspan(k, tensor.length)) largest = std::max(largest, std::fabs(value));
    const float step = largest / 127;
    for (const std::size_t end = k + tensor.length; k < end; ++k) {
      const auto words = random.block(static_cast<std::uint32_t>(k / 2), side);
      const float u = static_cast<float>(words[k % 2] >> 8) * 0x1p-24F;
      decoded[k] = step > 0 ? std::clamp(std::floor(x[k] / step + u), -127.0F, 127.0F) * step : 0;
    }
  }
}

}  // namespace

Toll PlainInt8Exchange::meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t name) {
  const Threefry random{name, 0};
  round_to_int8(initiator.model, random, 0, decoded_[0]);
  round_to_int8(responder.model, random, 1, decoded_[1]);
  const auto a = initiator.model.as<float>();
  const auto b = responder.model.as<float>();
  for (std::size_t k = 0; k < a.size(); ++k) {
    a[k] = 0.5F * (a[k] + decoded_[1][k]);
    b[k] = 0.5F * (b[k] + decoded_[0][k]);
  }
  const std::uint64_t sent = a.size() + sizeof(float) * initiator.model.layout().size();
  return {.bytes = wire::exchange(sent, sent)};
}

void TopTenthExchange::prepare(LearningAgent& agent) const {
  const auto x = std::as_const(agent.model).as<float>();
  agent.reference.assign(x.begin(), x.end());
}

void TopTenthExchange::choose(const LearningAgent& agent) {
  const auto x = agent.model.as<float>();
  const auto moved = [&](std::size_t k) { return std::fabs(x[k] - agent.reference[k]); };
  for (std::size_t k = 0; k < x.size(); ++k) moved_[k] = moved(k);
  const std::size_t tenth = (x.size() + 9) / 10;
  const auto last = moved_.begin() + static_cast<std::ptrdiff_t>(tenth - 1);
  std::nth_element(moved_.begin(), last, moved_.end(), std::greater<>());
  const float least = *last;
  std::size_t left = tenth;
  for (std::size_t k = 0; k < x.size() && left > 0; ++k) {
    if (!(moved(k) >= least)) continue;
    chosen_[k] = 1;
    --left;
  }
}

Toll TopTenthExchange::meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t) {
  std::fill(chosen_.begin(), chosen_.end(), 0);
  choose(initiator);
  choose(responder);
  const auto a = initiator.model.as<float>();
  const auto b = responder.model.as<float>();
  std::uint64_t averaged = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (chosen_[k] == 0) continue;
    ++averaged;
    a[k] = b[k] = initiator.reference[k] = responder.reference[k] = 0.5F * (a[k] + b[k]);
  }
  const std::uint64_t sent = (a.size() + 7) / 8 + sizeof(float) * averaged;
  return {.bytes = wire::exchange(sent, sent)};
}

}  // namespace popsgd::sim
