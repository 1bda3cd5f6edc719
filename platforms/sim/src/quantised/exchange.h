// Two agents meet: what each sends, and how both models move.
#pragma once

#include "quantised/agent.h"

#include <popsgd/sim/encoding.h>

#include <cstdint>
#include <memory>

namespace popsgd::sim {

/// What exchanges have cost.
struct Toll {
  std::uint64_t bytes = 0;
  std::uint64_t wrapped = 0;    ///< exchanges in which points were out of reach
  std::uint64_t saturated = 0;  ///< integers that stopped at their type's range

  Toll& operator+=(const Toll& other) {
    bytes += other.bytes;
    wrapped += other.wrapped;
    saturated += other.saturated;
    return *this;
  }
};

/// One thread's way of carrying out exchanges, with the memory it takes.
class Exchange {
 public:
  virtual ~Exchange() = default;

  /// What an agent needs before its first exchange.
  virtual void prepare(LearningAgent&) const {}

  /// `name`: 32 random bits that both agents know.
  virtual Toll meet(LearningAgent& initiator, LearningAgent& responder, std::uint32_t name) = 0;
};

/// Throws Error for models of integers with a code that knows none.
[[nodiscard]] std::unique_ptr<Exchange> make_exchange(const Encoding& encoding, bool integers,
                                                      std::size_t parameters);

}  // namespace popsgd::sim
