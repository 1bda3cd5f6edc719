// The key of a swarm as text: what a key file holds, a QR code shows and a person types.
#pragma once

#include "key/secret.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace popsgd::command {

/// What all members of a swarm share. Of one key there is a row of epochs, from 1 on; members accept two of them.
struct SwarmKey {
  Secret<std::array<std::uint8_t, 32>> bytes;
  std::uint32_t epoch = 1;
};

/// The enrolment text, in capitals, which make the smallest QR code:
///
///     POPSGD:1-0000-0CDM-7X3J-...   version 1; 16 groups of four of Crockford's base 32: epoch (4 bytes, big-endian),
///                                   key (32), CRC-32C of those 36 (4, big-endian)
///
/// Whoever has read it has the key.
inline constexpr std::size_t kEnrolmentText = 9 + 16 * 4 + 15;
using EnrolmentText = Secret<std::array<char, kEnrolmentText>>;
void write_enrolment(const SwarmKey& key, EnrolmentText& into);

/// `text` may be anything. Reads small letters for capitals, O for 0, I and L for 1, and passes over hyphens and blanks. Returns what
/// is wrong, in words that tell nothing of the key; empty if nothing is. Else `into` is not touched.
[[nodiscard]] std::string read_enrolment(std::string_view text, SwarmKey& into);

/// A key file is the enrolment text on a line of its own; lines that begin with # say what it is to a person, and are passed over,
/// as empty ones are. `contents` may be anything. As read_enrolment().
[[nodiscard]] std::string read_key_text(std::string_view contents, SwarmKey& into);

/// A file with as much as this is none.
inline constexpr std::size_t kLongestKeyText = 1024;

}  // namespace popsgd::command
