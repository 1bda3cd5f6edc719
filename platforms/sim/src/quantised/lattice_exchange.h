// Points of a lattice modulo 2^bits: a few bits a parameter, whatever the models' size.
#pragma once

#include "quantised/raw.h"
#include "quantised/snapshot.h"

#include <popsgd/lattice/step_estimate.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace popsgd::sim {

/// One exchange, as two devices have it. Each side takes the steps of its tensors from its own past distances and sends
/// its points modulo 2^bits with the checksum of the points before that; decodes the other's by its own model; and if
/// both checksums are right moves by half of the gap. Otherwise that side sends again, the same points with a bit
/// more, then eight; after 16 bits, and at the first meeting of an agent that has seen no distance yet, the numbers themselves.
class LatticeExchange final : public Exchange {
 public:
  LatticeExchange(const Encoding& encoding, std::size_t parameters);

  void prepare(LearningAgent& agent) const override;
  Toll meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t name) override;

 private:
  // What one of the two has at hand.
  struct Side {
    Side(std::size_t parameters);

    LearningAgent* agent = nullptr;
    Snapshot mine;
    std::vector<int> exponents{};           // of each tensor's step
    std::vector<std::byte> packed;          // points that it sends
    std::uint32_t checksum = 0;             // of them, un-reduced
    std::vector<std::int32_t> theirs;       // the partner's points, decoded
    std::vector<lattice::Distance> seen{};  // how far they are, tensor by tensor
  };

  void begin(Side& side, LearningAgent& agent, std::uint32_t name) const;
  [[nodiscard]] bool tight() const;
  [[nodiscard]] int exponent(const Side& side, std::size_t k, std::size_t offset) const;
  /// Returns the bytes of its chunks.
  static std::size_t send(Side& from, int bits, std::uint32_t name);
  [[nodiscard]] static bool receive(const Side& from, Side& to, int bits, std::uint32_t name);
  std::size_t move(Side& side, const Side& other, lattice::Side role, std::uint32_t name) const;
  void remember(Side& side) const;
  Toll meet_raw(std::uint32_t name);

  const Encoding encoding_;
  RawExchange raw_;
  Side initiator_;
  Side responder_;
};

}  // namespace popsgd::sim
