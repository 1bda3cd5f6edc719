// What the network engine draws from: streams of Purpose::network. 0 is the links', from 1 on they are the agents'.
#pragma once

#include <cstdint>

namespace popsgd::sim {

inline constexpr std::uint32_t kLiarsStream = 0x8000'0000U;  ///< of the first liar; the others' follow
inline constexpr std::uint32_t kLotStream = 0xFFFF'FFFFU;    ///< who lies
inline constexpr std::uint32_t kCrashesStream = 0xFFFF'FFFEU;
inline constexpr std::uint32_t kContactsStream = 0xFFFF'FFFDU;

}  // namespace popsgd::sim
