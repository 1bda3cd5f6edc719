// What a peer's model must pass before it may be averaged with.
#pragma once

#include <popsgd/gradient.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace popsgd {

/// Why a peer's block was refused.
enum class Refusal : std::uint8_t {
  none,          ///< it was not
  not_finite,    ///< a parameter is NaN or infinite
  out_of_range,  ///< a parameter's magnitude is above the limit
  checksum,      ///< what was decoded is not what the peer sent
  too_far,       ///< the two models are further apart than the gate admits
  still,         ///< a partner was met at this very place twice before: it does not learn
};
inline constexpr std::size_t kRefusals = 6;

/// Refusals in a row, its own or its partners', after which an agent takes itself to be the one that is astray: with so
/// few hostile peers that a swarm can stand them, it then most likely is.
inline constexpr unsigned kAstray = 3;

/// not_finite or out_of_range if any of `theirs` is, otherwise none. limit > 0.
[[nodiscard]] Refusal examine(ConstParams theirs, float limit) noexcept;

/// Root of the mean squared difference of two blocks: a distance that does not depend on their length. NaN or infinite
/// if one of the blocks is, or beyond a float.
[[nodiscard]] float rms_distance(ConstParams a, ConstParams b) noexcept;

/// Admits a partner whose model is not much further away than those met before. The radius is 1.7 times the median of the
/// last 15 distances, but at least twice the size of the local updates since the last exchange: those who begin with equal models know no
/// distance yet that is above 0. With each refusal in a row but the first it grows by 1.5, so that no honest agent is
/// shut out however skewed its data. What is remembered of a distance is at most the radius it was held against:
/// many distant peers cannot drag the median to where they are. Distances are remembered with 8 bits of
/// precision; 32 bytes in all.
///
/// Refusing beats moving a part of the way: a clipped step towards a hostile model is still a step towards it.
class Gate {
 public:
  /// The largest distance it admits now: any, as long as it knows of no distance and no update above 0. updates: rms
  /// of the local updates since the last exchange, 0 if there was none; refusals: in a row until now.
  [[nodiscard]] float radius(float updates, unsigned refusals) const noexcept;

  /// A partner was met at `distance` >= 0, finite, and judged by radius() of the same arguments.
  void remember(float distance, float updates, unsigned refusals) noexcept;

  /// Both: whether it is admitted.
  [[nodiscard]] bool admit(float distance, float updates, unsigned refusals) noexcept {
    const float most = radius(updates, refusals);
    remember(distance, updates, refusals);
    return distance <= most;
  }

  /// Of the distances it remembers; 0: none.
  [[nodiscard]] float median() const noexcept;

  /// Whether it remembers distances only: false for bytes that never were a gate.
  [[nodiscard]] bool sound() const noexcept;

 private:
  static constexpr std::size_t kWindow = 15;

  std::array<std::uint16_t, kWindow> distances_{};  // the upper half of a float; a ring
  std::uint8_t recorded_ = 0;  // distances so far, counted on from kWindow in rounds of it
};
static_assert(sizeof(Gate) == 32);

}  // namespace popsgd
