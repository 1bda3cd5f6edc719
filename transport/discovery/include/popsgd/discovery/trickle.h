// The Trickle timer of RFC 6206: says little while all agree, and is quick when somebody does not.
#pragma once

#include <popsgd/link.h>
#include <popsgd/random.h>

#include <cstdint>

namespace popsgd::discovery {

struct TrickleConfig {
  std::uint32_t shortest = 250;  ///< Imin: the shortest interval, in ms; >= 2
  std::uint8_t doublings = 7;    ///< Imax: how often it may double; shortest << doublings < 2^31
  std::uint8_t redundancy = 3;   ///< k: stays silent after having heard as many; 0: never does
};

/// Intervals of length I, from Imin to Imin 2^Imax. Each has a random point in its second half, at which the owner
/// transmits, unless it has heard k consistent messages since the interval began (RFC 6206, 4.2). At its end I doubles;
/// an inconsistency brings it back to Imin. The first interval is of length Imin.
///
/// A poll() that comes late puts off all that follows: nothing is made up for, so it transmits at most once.
class Trickle {
 public:
  Trickle(const TrickleConfig& config, const Random& random, Time now);

  /// Heard what is known already: one more need not say it.
  void consistent();
  /// Heard something new, or had something happen to it. Begins an interval of Imin, unless this is one already.
  void inconsistent(Time now);

  /// To be called at deadline() or later; true: transmit now.
  [[nodiscard]] bool poll(Time now);
  /// When poll() has something to do next.
  [[nodiscard]] Time deadline() const { return passed_ ? end_ : point_; }
  /// I, in ms.
  [[nodiscard]] std::uint32_t interval() const { return interval_; }

 private:
  void begin(Time now);

  TrickleConfig config_;
  Random random_;
  std::uint32_t interval_;
  Time point_{};
  Time end_{};
  std::uint32_t heard_ = 0;  // c
  bool passed_ = false;      // the point of this interval
};

}  // namespace popsgd::discovery
