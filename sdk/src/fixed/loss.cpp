#include "fixed/loss.h"

#include "fixed/arithmetic.h"
#include "fixed/exponential.h"

#include <popsgd/parts.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace popsgd::fixed {
namespace {

constexpr int kFraction = 16;  // of z and of losses
constexpr std::int64_t kOne = std::int64_t{1} << kFraction;
constexpr std::int64_t kMostLoss = std::int64_t{1} << 62;

std::int64_t squared_loss(const Outputs& out, std::uint64_t& saturated) {
  const FixedBatch& batch = out.batch;
  std::int64_t loss = 0;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    for (std::size_t k = 0; k < out.width; ++k) {
      std::int32_t& z = out.z[row * out.width + k];
      const std::int64_t target = batch.labels.empty()
                                      ? rescale<std::int32_t>(batch.targets[row * out.width + k],
                                                              batch.target_fraction - kFraction, saturated)
                                      : (batch.labels[row] == k ? kOne : 0);
      z = saturate<std::int32_t>(z - target, saturated);
      loss = std::min(loss + (std::int64_t{z} * z >> (kFraction + 1)), kMostLoss);  // + 2^45 at most
    }
  }
  return loss;
}

std::int64_t logistic_loss(const Outputs& out) {
  std::int64_t loss = 0;
  for (std::size_t row = 0; row < out.batch.rows; ++row) {
    const bool one = out.batch.labels[row] == 1;
    const std::int64_t margin = one ? std::int64_t{out.z[row]} : -std::int64_t{out.z[row]};
    const std::uint64_t e = exponential_of_minus(static_cast<std::uint32_t>(margin < 0 ? -margin : margin));
    loss += logarithm(kUnit + e) + (margin < 0 ? -margin : 0);
    const std::uint64_t doubt = (margin < 0 ? std::uint64_t{kUnit} : e) << kUnitFraction;
    const auto wrong = static_cast<std::int32_t>(quotient(doubt, kUnit + e));
    out.z[row] = one ? -wrong : wrong;
  }
  return loss;
}

std::int64_t cross_entropy_loss(const Outputs& out) {
  const std::size_t rows = has(Part::networks) ? out.batch.rows : 1;
  std::int64_t loss = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    std::int32_t* z = out.z + row * out.width;
    const std::uint32_t label = out.batch.labels[row];
    const std::int64_t largest = std::ranges::max(std::span(z, out.width));
    loss += largest - z[label];
    std::uint64_t total = 0;
    for (std::size_t k = 0; k < out.width; ++k) {
      const std::uint32_t e = exponential_of_minus(static_cast<std::uint32_t>(largest - z[k]));
      total += e;
      z[k] = static_cast<std::int32_t>(e);
    }
    loss += logarithm(total);
    // One division a row; total is at least a unit, as the largest is there.
    const std::uint64_t share = quotient(std::uint64_t{1} << 62, total);
    for (std::size_t k = 0; k < out.width; ++k) {
      z[k] = static_cast<std::int32_t>(static_cast<std::uint64_t>(z[k]) * share >> (62 - kUnitFraction));
    }
    z[label] -= static_cast<std::int32_t>(kUnit);
  }
  return loss;
}

}  // namespace

LossAndScale loss_and_error(Loss loss, const Outputs& out, std::uint64_t& saturated) noexcept {
  if constexpr (!has(Part::networks)) return {cross_entropy_loss(out), kUnitFraction};
  switch (loss) {
    case Loss::squared:
      return {squared_loss(out, saturated), kFraction};
    case Loss::logistic:
      return {logistic_loss(out), kUnitFraction};
    case Loss::cross_entropy:
      break;
  }
  return {cross_entropy_loss(out), kUnitFraction};
}

}  // namespace popsgd::fixed
