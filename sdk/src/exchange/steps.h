// In how many bits an agent sends its snapshots, and on which lattices: what it has learned of distances.
#pragma once

#include "exchange/tensors.h"

#include <popsgd/agent.h>
#include <popsgd/lattice/points.h>
#include <popsgd/lattice/step_estimate.h>

#include <cstdint>
#include <optional>
#include <span>

namespace popsgd {

/// How one side's snapshot of a block crosses.
struct Encoding {
  std::uint8_t bits = 0;  ///< a parameter, modulo 2^bits; 0: raw
  bool rotated = false;

  friend bool operator==(const Encoding&, const Encoding&) = default;

  /// As a byte, and back: none for one that is no encoding.
  [[nodiscard]] std::byte pack() const;
  [[nodiscard]] static std::optional<Encoding> unpack(std::byte packed);
};

/// Attempts at a block, the last of them raw.
inline constexpr std::uint8_t kAttempts = 4;

/// A step estimate for each slice, the part of a tensor in one of the agent's own blocks. A partner's blocks may be
/// shorter: as with gates, then the slice counts in which a part begins. Distances are those of rotated models if the
/// agent rotates.
class Steps {
 public:
  Steps(const Quantisation& quantisation, std::span<lattice::StepEstimate> estimates,
        std::size_t block_length)
      : quantisation_(quantisation), estimates_(estimates), block_length_(block_length) {}

  /// How many estimates: walking through a model, each new slice begins a block or a tensor.
  [[nodiscard]] static std::size_t count(std::size_t blocks, std::size_t tensors) {
    return blocks + tensors - 1;
  }

  [[nodiscard]] bool quantises() const { return quantisation_.width != Width::raw; }
  [[nodiscard]] bool rotates() const { return quantises() && quantisation_.rotate; }

  /// Bits for the attempt at a block whose slices' steps are known or not; 0: raw.
  [[nodiscard]] std::uint8_t bits(std::uint8_t attempt) const;
  [[nodiscard]] bool known(std::size_t tensor, std::size_t offset) const {
    return at(tensor, offset).known();
  }
  /// Of the step of a slice. The same in all attempts: more bits reach further.
  [[nodiscard]] int exponent(std::size_t tensor, std::size_t offset, int finest) const {
    return at(tensor, offset).exponent(base(), finest);
  }

  /// A block has come through: how far apart both models are in this slice, in steps of at least 2^finest.
  void observe(std::size_t tensor, std::size_t offset, lattice::Distance seen) {
    if (seen.steps == 0) seen.steps = 1;  // models that agree are known to be close
    at(tensor, offset).observe(seen);
  }
  /// A block has come through, at its first attempt or a later one.
  void came_through(bool first_attempt);

 private:
  [[nodiscard]] lattice::StepEstimate& at(std::size_t tensor, std::size_t offset) const {
    return estimates_[offset / block_length_ + tensor];
  }
  // The bits that the step is made for.
  [[nodiscard]] std::uint8_t base() const;

  const Quantisation& quantisation_;
  std::span<lattice::StepEstimate> estimates_;
  std::size_t block_length_;
  std::uint8_t extra_ = 0;   // bits beyond the base, if they are chosen automatically
  std::uint8_t smooth_ = 0;  // blocks in a row that came through at once
};

}  // namespace popsgd
