// The key of a swarm, as text gives it to a device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace firmware {

/// What all members share.
struct SwarmKey {
  std::uint32_t epoch = 1;
  std::array<std::byte, 32> bytes{};
};

/// The enrolment text that `popsgd keygen` writes: POPSGD:1- and 64 symbols of Crockford's base 32, which are epoch (4 bytes,
/// big-endian), key (32), and the CRC-32C of those 36 (4, big-endian). Hyphens are passed over. Nothing: it is not that, letter for
/// letter.
[[nodiscard]] std::optional<SwarmKey> swarm_key_from(std::string_view text) noexcept;

}  // namespace firmware
