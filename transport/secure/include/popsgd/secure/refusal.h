// Why a peer was not let in, or a link ended.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace popsgd::secure {

enum class Refusal : std::uint8_t {
  none,
  unknown_key,      ///< it names a key that is of another swarm or of another epoch
  wrong_key,        ///< it does not have the key that it names
  certificate,      ///< its certificate is of another authority or swarm, out of date, or not for this use
  not_our_suite,    ///< it offers no version, cipher suite or group that is spoken here
  malformed,        ///< what it says is not TLS, or not what comes next
  refused_by_peer,  ///< it ended the handshake
  too_slow,         ///< the handshake took too long
  gone,             ///< the path was lost during the handshake
  no_memory,        ///< mbedTLS has none left
  too_many_links,   ///< all places are taken
  too_many_handshakes,  ///< as many as allowed are under way
  too_often,            ///< from this source, within a second
};
inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::too_often) + 1;

/// A few words for a person, e.g. "names a key of another swarm or epoch".
[[nodiscard]] std::string_view text(Refusal refusal) noexcept;

/// What was counted; only ever grows.
struct Counts {
  std::uint64_t opened = 0;   ///< links whose peer has proven itself
  std::uint64_t resumed = 0;  ///< of those: of a session that was remembered
  std::uint64_t greeted = 0;  ///< hellos over datagrams that were answered by a cookie
  std::uint64_t renewed = 0;  ///< links ended for their session's age
  std::array<std::uint64_t, kRefusals> refused{};

  [[nodiscard]] std::uint64_t of(Refusal refusal) const { return refused[static_cast<std::size_t>(refusal)]; }
};

}  // namespace popsgd::secure
