// The board's UART for a program that is told at its start whom it meets there.
#pragma once

#include "node.h"
#include "swarm_key.h"

#include <popsgd/clock.h>
#include <popsgd/status.h>

#include <cstddef>
#include <span>

namespace firmware {

class Line {
 public:
  /// Bytes have come.
  virtual void feed(std::span<const std::byte> bytes) noexcept = 0;
  /// Does what is due; when it is due again if nothing comes.
  virtual popsgd::Time turn() noexcept = 0;

 protected:
  ~Line() = default;  // whoever made it ends it
};

/// By which the node, which has started, meets whoever has the key, and nobody else. There is one, asked for once, and only where no
/// door_for_members() is. no_function: the firmware was built without secure links (no_secure_line.cpp); else as SecureWire::open().
[[nodiscard]] popsgd::Result<Line*> line_for_members(const SwarmKey& key, Node& node) noexcept;

}  // namespace firmware
