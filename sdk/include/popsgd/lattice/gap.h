// What both partners move by: half of the gap between their models, the same whole numbers on both sides.
//
//   gap    responder's points - initiator's, in steps of the finer              difference()
//   half   gap / 2 on the coarser of both models' units, rounded by coins       inside move()
//   x      + half for the initiator, - half for the responder                   move()
//
// So the sum of both models is conserved bit by bit if they are integers, as long as neither leaves its type's range.
#pragma once

#include <popsgd/gradient.h>
#include <popsgd/lattice/points.h>
#include <popsgd/lattice/weyl.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::lattice {

enum class Side : std::uint8_t { initiator, responder };

/// The responder's values less the initiator's: whole multiples of 2^exponent, in the memory of the partner's points.
struct Gap {
  Points values{};
  int exponent = 0;
};

/// Turns the partner's points into the gap. Both sides come to the same, from their own values with the lattice they
/// were sent on and the other's points: in steps of the finer lattice, or the finest in which the coarser's points fit 30
/// bits; the finer's are then rounded to the nearest. Of points as quantise() and decode() make them it fits 32 bits.
[[nodiscard]] Gap difference(Side side, const Values& mine, Lattice lattice, Points theirs,
                             int their_exponent) noexcept;

/// How both sides round half of the gap if one of them is an integer model: to units of 2^-fraction, the coarser of
/// both models' units (the smaller fraction), unbiased by the same coins.
struct Rounding {
  int fraction = 0;
  Coins coins{};
};

/// Two float models: half of the gap as it is, to a float's rounding.
void move(Params x, Gap gap, Side side) noexcept;

/// A float model that meets an integer model.
void move(Params x, Gap gap, Side side, Rounding rounding) noexcept;

/// An integer model in units of 2^-fraction, which are no coarser than those of `rounding`. Returns how many
/// parameters stopped at their type's range.
std::size_t move(std::span<std::int16_t> x, int fraction, Gap gap, Side side, Rounding rounding) noexcept;
std::size_t move(std::span<std::int8_t> x, int fraction, Gap gap, Side side, Rounding rounding) noexcept;

/// x becomes the points, steps of 2^exponent.
void adopt(Params x, ConstPoints points, int exponent) noexcept;

/// The same on units of 2^-fraction, which coins round to. Returns how many parameters stopped at their type's range.
std::size_t adopt(std::span<std::int16_t> x, int fraction, ConstPoints points, int exponent,
                  Coins coins) noexcept;
std::size_t adopt(std::span<std::int8_t> x, int fraction, ConstPoints points, int exponent,
                  Coins coins) noexcept;

}  // namespace popsgd::lattice
