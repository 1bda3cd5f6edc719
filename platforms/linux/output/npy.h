// A vector as NumPy reads it.
#pragma once

#include <popsgd/model.h>

#include <cstddef>
#include <span>
#include <string>

namespace popsgd::command {

/// A file of NumPy's format 1.0 with one dimension: numbers of this kind, little-endian, as they are.
[[nodiscard]] std::string npy(std::span<const std::byte> values, Numeric numeric);

}  // namespace popsgd::command
