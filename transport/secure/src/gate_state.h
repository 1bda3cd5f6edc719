// What a Gate is made of.
#pragma once

#include "secure_link.h"

#include <popsgd/secure/gate.h>

#include <array>
#include <cstdint>
#include <span>

namespace popsgd::secure {

struct Gate::State {
  State(Context& with, Listener& whom, const Limits& most) noexcept;
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = delete;
  State& operator=(State&&) = delete;

  [[nodiscard]] std::span<SecureLink> all() const noexcept {
    return {links, links == nullptr ? 0 : limits.links};
  }
  /// Whether a handshake may begin; makes room for it.
  [[nodiscard]] Refusal room_for(bool dialled) noexcept;
  /// Whether the source has not had too many.
  [[nodiscard]] Refusal often(const Address& source) noexcept;
  Refusal count(Refusal refusal) noexcept {
    ++counts.refused[static_cast<std::size_t>(refusal)];
    return refusal;
  }

  /// Who began handshakes of late.
  struct Source {
    std::array<std::uint8_t, 16> prefix{};
    Time since{};
    std::uint32_t count = 0;
  };

  Context::State* context;
  Listener& listener;
  const Limits limits;
  Counts counts{};
  std::array<Source, 64> sources{};
  SecureLink* links = nullptr;
};

}  // namespace popsgd::secure
