// What the fuzzer of the exchange is told to do: a byte an act, and the bytes that the act takes after it.
#pragma once

#include <cstdint>

namespace popsgd::test {

enum class Act : std::uint8_t {
  deliver,  ///< which: a frame on its way arrives
  repeat,   ///< which: it arrives, and stays on its way
  lose,     ///< which
  corrupt,  ///< which, place, mask: then it arrives
  wait,     ///< steps of 16 ms, low and high byte
  meet,     ///< which agent offers
  forge,    ///< to whom, kind, block, chunk, code: a frame in the name of an exchange under way
  junk,     ///< to whom, length, then as many bytes: any frame
  count,
};

}  // namespace popsgd::test
