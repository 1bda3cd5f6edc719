// Which classes a device's sensor ever shows it: a device learns the others from those that it meets.
#pragma once

#include <popsgd/random.h>

#include <cstdint>

namespace firmware {

/// Those whose number is `index` modulo `parts`, all as often; at least one class, so `index` < classes.
struct Share {
  std::uint32_t index = 0;
  std::uint32_t parts = 1;

  [[nodiscard]] std::uint32_t draw(popsgd::Random& random, std::uint32_t classes) const noexcept {
    return index + parts * random.below((classes - index + parts - 1) / parts);
  }
};

}  // namespace firmware
