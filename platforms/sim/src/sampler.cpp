#include "sampler.h"

#include "blocks.h"

#include <algorithm>

namespace popsgd::sim {
namespace {

constexpr std::size_t kCacheLine = 16;  // floats in a cache line

std::size_t whole_lines(std::size_t floats) {
  return (floats + kCacheLine - 1) / kCacheLine * kCacheLine;
}

}  // namespace

Sampler::Sampler(const Problem& problem, const Shards& shards, std::size_t batch, std::size_t scratch,
                 Threefry stream)
    : data_(problem.train()),
      shards_(shards),
      plain_(data_.plain()),
      random_(stream),
      memory_(whole_lines(batch * data_.features) + scratch + kCacheLine),
      scratch_size_(scratch),
      index_(batch),
      labels_(data_.classes > 0 ? batch : 0),
      targets_(batch * data_.outputs) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
  features_ = memory_.data() + (kCacheLine - address / sizeof(float) % kCacheLine) % kCacheLine;
  scratch_ = features_ + whole_lines(batch * data_.features);
  batch_ = {batch, {features_, batch * data_.features}, labels_, targets_};
}

const Batch& Sampler::draw(std::uint32_t agent, std::uint64_t draw, std::uint32_t lane, std::uint64_t step) {
  const auto shard = shards_.shared() ? std::span<const std::uint32_t>{} : shards_.of(agent);
  const auto rows = static_cast<std::uint32_t>(shards_.shared() ? data_.rows : shard.size());
  std::uint64_t counter = (draw << kSampleBits) + step * index_.size();
  for (std::uint32_t& index : index_) {
    const auto words =
        random_.block(static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32));
    index = below(words[lane], rows);
    if (!shard.empty()) index = shard[index];
    ++counter;
  }
  if (index_.size() == 1 && plain_) {
    batch_.features = std::span(data_.floats).subspan(index_[0] * data_.features, data_.features);
  } else {
    data_.gather(index_, features_);
  }
  for (std::size_t k = 0; k < labels_.size(); ++k) labels_[k] = data_.labels[index_[k]];
  for (std::size_t k = 0; k < targets_.size(); ++k) {
    targets_[k] = data_.targets[index_[k / data_.outputs] * data_.outputs + k % data_.outputs];
  }
  return batch_;
}

}  // namespace popsgd::sim
