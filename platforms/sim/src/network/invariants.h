// What must hold after every event, whatever the links do.
#pragma once

#include "network/shadows.h"

#include <popsgd/agent.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace popsgd::sim {

/// Counts what should never be. An exchange's block is remembered for five to ten minutes of virtual time after it was
/// first applied, longer than any agent is in doubt about it; memory is that of the blocks applied meanwhile.
class Invariants {
 public:
  /// Each side of an exchange applies a block at most once, and the responder only what the initiator has applied. Of
  /// honest agents; `with_liar`: with a partner that is not, which may say that it has applied what it has not.
  ///
  /// What the two sides change their models by cancels, to rounding, of integers bit for bit: the swarm's mean stays where
  /// it is. Unless an integer has stopped at the end of its range. Unless one is
  /// fresh or astray: then its partner's model does not change at all.
  void applied(const Applied& applied, bool with_liar = false, const Change& change = {});
  /// After an event at the agent: it is in one exchange at most, and will be woken in time.
  void agent(const Agent& agent, Time now);
  /// Whatever else must hold after an event.
  void check(bool holds, const char* invariant);
  /// Virtual time, in microseconds, does not go back.
  void advance(std::uint64_t now);

  [[nodiscard]] std::uint64_t violations() const { return violations_; }
  [[nodiscard]] const std::string& first() const { return first_; }

 private:
  struct Name {
    std::uint64_t exchange;
    std::uint16_t block;
    friend bool operator==(const Name&, const Name&) = default;
  };
  struct Hash {
    std::size_t operator()(const Name& name) const {  // exchanges' names are random already
      return static_cast<std::size_t>(name.exchange + name.block * 0x9E3779B97F4A7C15U);
    }
  };
  struct Sides {
    bool initiator = false;
    bool responder = false;
    float weight = 0;             // of the side that was first
    float scale = 0;              // likewise
    bool saturated = false;       // likewise
    std::vector<float> change{};  // likewise, until the other side has applied the block too
  };
  [[nodiscard]] Sides& sides(const Name& name);
  void check_opposite(Sides& first, const Applied& applied, const Change& second);

  std::array<std::unordered_map<Name, Sides, Hash>, 2> blocks_{};  // of this period and the one before
  std::uint64_t period_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t violations_ = 0;
  std::string first_{};
};

}  // namespace popsgd::sim
