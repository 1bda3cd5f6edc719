#include "flashed_key.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace firmware {
namespace {

constexpr std::size_t kSize = 96;

[[gnu::section(".swarm_key"), gnu::used]] constexpr char kSection[kSize] = {};

}  // namespace

std::optional<SwarmKey> flashed_key() noexcept {
  const volatile char* const section = kSection;  // which changes after the compiler has seen it
  std::array<char, kSize> text;
  std::size_t length = 0;
  for (; length < kSize && section[length] > ' ' && section[length] <= '~'; ++length)
    text[length] = section[length];
  return swarm_key_from({text.data(), length});
}

}  // namespace firmware
