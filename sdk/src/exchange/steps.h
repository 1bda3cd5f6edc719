// In how many bits an agent sends its snapshots, and on which lattices: what it has learned of distances.
#pragma once

#include "exchange/tensors.h"

#include <popsgd/agent.h>
#include <popsgd/lattice/points.h>
#include <popsgd/lattice/step_estimate.h>
#include <popsgd/parts.h>

#include <cstdint>
#include <optional>
#include <span>

namespace popsgd {

/// How one side's snapshot of a block crosses.
struct Encoding {
  std::uint8_t bits = 0;  ///< a parameter, modulo 2^bits; 0: raw
  bool rotated : 1 = false;
  bool again : 1 = false;  ///< an initiator's second attempt: it has read its partner's snapshot wrong, too

  friend bool operator==(const Encoding&, const Encoding&) = default;

  /// As a byte, and back: none for one that is no encoding.
  [[nodiscard]] std::byte pack() const;
  [[nodiscard]] static std::optional<Encoding> unpack(std::byte packed);
};

/// Known to the compiler where nobody can.
[[nodiscard]] constexpr bool rotated(Encoding encoding) {
  return has(Part::rotation) && encoding.rotated;
}

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
  [[nodiscard]] bool rotates() const { return has(Part::rotation) && quantises() && quantisation_.rotate; }

  /// Bits for the attempt at a block; 0: raw. heard: those of the initiator, if this agent is the responder.
  [[nodiscard]] std::uint8_t bits(std::uint8_t attempt, std::uint8_t heard) const;
  [[nodiscard]] bool known(std::size_t tensor, std::size_t offset) const {
    return at(tensor, offset).known();
  }
  /// Of the step of a slice. The same in all attempts: more bits reach further.
  [[nodiscard]] int exponent(std::size_t tensor, std::size_t offset, int finest) const {
    return at(tensor, offset).exponent(base(), finest, tight());
  }

  /// A block has come through: how far apart both models are in this slice. distant: further than the bits it is first
  /// sent in reach.
  void observe(std::size_t tensor, std::size_t offset, lattice::Distance seen, bool distant);
  /// What has been observed of distant slices so far is of earlier blocks.
  void next_block() { distant_ = false; }
  /// The bits that the step is made for.
  [[nodiscard]] std::uint8_t base() const;

 private:
  [[nodiscard]] bool tight() const { return lattice::tight(base(), rotates()); }
  [[nodiscard]] lattice::StepEstimate& at(std::size_t tensor, std::size_t offset) const {
    return estimates_[offset / block_length_ + tensor];
  }

  const Quantisation& quantisation_;
  std::span<lattice::StepEstimate> estimates_;
  std::size_t block_length_;
  bool distant_ = false;  // in the last block, in any slice
};

}  // namespace popsgd
