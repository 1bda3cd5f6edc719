// Keeps what a device has learned through a loss of power.
#pragma once

#include "node.h"

#include <popsgd/clock.h>
#include <popsgd/status.h>
#include <popsgd/store.h>

#include <cstdint>

namespace firmware {

/// A node's checkpoints. A device without one begins anew at every start, and is 2.7 kB of flash smaller on an M0+.
class Keeper {
 public:
  /// `every`: milliseconds. 10,000 erasures of two slots last for four months of saving every ten minutes.
  Keeper(Node& node, popsgd::Store& store, popsgd::Clock& clock, std::uint32_t every = 600'000) noexcept
      : node_(node), store_(store), clock_(clock), every_(every) {}

  /// In place of the node's own: goes on from the last checkpoint, or begins. As Node::start().
  [[nodiscard]] popsgd::Status start() noexcept;
  /// Saves if it is time; when that is next.
  popsgd::Time turn() noexcept;
  /// Now, beside the times it does so by itself.
  [[nodiscard]] popsgd::Status save() noexcept { return node_.save(store_); }
  /// What start() found in the store.
  [[nodiscard]] popsgd::Status restored() const noexcept { return restored_; }

 private:
  Node& node_;
  popsgd::Store& store_;
  popsgd::Clock& clock_;
  std::uint32_t every_;
  popsgd::Time due_{};
  popsgd::Status restored_ = popsgd::Status::no_checkpoint;
};

}  // namespace firmware
