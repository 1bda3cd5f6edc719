// How models travel when two agents of the population model meet.
#pragma once

#include <popsgd/agent.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace popsgd::sim {

/// What an agent sends of its model, and how its partner moves.
///
/// | code       | sent of each tensor                       | both then                                          |
/// | ---------- | ----------------------------------------- | -------------------------------------------------- |
/// | none       | its numbers; only they are counted        | adopt the average                                  |
/// | raw        | its numbers; frames are counted, too      | adopt the average                                  |
/// | lattice    | points modulo 2^bits (popsgd/lattice)     | move by half of the points' gap, in opposite ways  |
/// | plain_int8 | 8 bits of value / largest, dithered alone | adopt the mean of their own and what was decoded   |
/// | top_tenth  | the tenth that moved furthest since it    | adopt the average where either of them sent        |
/// |            | was last averaged; the partner's answer   |                                                    |
///
/// The last two are there to compare with.
struct Encoding {
  enum class Code : std::uint8_t { none, raw, lattice, plain_int8, top_tenth };

  Code code = Code::none;

  /// Of the lattice, 2 to 16; two more whenever points are out of reach, in the end the numbers themselves.
  int bits = 4;
  /// Starts with two bits more when either agent's last partner was further than `bits` reach.
  bool automatic = false;
  bool rotate = false;  ///< randomised Hadamard rotation of each tensor
  std::optional<int>
      exponent{};  ///< steps are always 2^exponent, for theory's sake; else from past distances
};

/// As devices' own agents are configured. Throws Error for what they do not speak: the codes that compare, and lattices
/// that do not adapt.
[[nodiscard]] Quantisation quantisation_of(const Encoding& encoding);

/// "auto", "raw", or bits from 2 to 16, "4"; with rotation "3:rotate". Throws Error for anything else.
[[nodiscard]] Encoding parse_encoding(std::string_view text);

/// As parse_encoding() reads it; for the codes that compare, a name.
[[nodiscard]] std::string text(const Encoding& encoding);

}  // namespace popsgd::sim
