#include "readers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

namespace popsgd::sim {
namespace {

template <class Value, std::endian order>
double decode(const std::uint8_t* from) {
  std::array<std::uint8_t, sizeof(Value)> raw;
  std::copy_n(from, sizeof(Value), raw.begin());
  if constexpr (order != std::endian::native) std::reverse(raw.begin(), raw.end());
  return static_cast<double>(std::bit_cast<Value>(raw));
}

/// Elements in all, or nothing if no std::size_t can count their bytes.
std::optional<std::size_t> size_in_bytes(const std::vector<std::size_t>& shape, std::size_t element) {
  std::size_t product = element;
  for (const std::size_t dimension : shape) {
    if (product > std::numeric_limits<std::size_t>::max() / dimension) return std::nullopt;
    product *= dimension;
  }
  return product;
}

std::string describe(const std::vector<std::size_t>& shape) {
  std::string text;
  for (const std::size_t dimension : shape) text += (text.empty() ? "" : " x ") + std::to_string(dimension);
  return text;
}

/// Element `i` of the array, which a float must be able to hold.
double finite(const Array& array, std::size_t i) {
  const double value = array.type.decode(array.data.data() + i * array.type.size);
  if (std::abs(value) <= std::numeric_limits<float>::max()) return value;
  const std::size_t row = i / (array.data.size() / array.type.size / array.shape[0]);
  throw Error(array.name + ": row " + std::to_string(row) + " (the first is 0) has a value that is " +
              (std::isnan(value) ? "not a number" : "infinite or too large for a float") +
              "; remove or replace such rows");
}

}  // namespace

template <class Value>
ElementType element_type(std::endian order) {
  return {sizeof(Value), std::is_same_v<Value, std::uint8_t>,
          order == std::endian::big ? decode<Value, std::endian::big> : decode<Value, std::endian::little>};
}

template ElementType element_type<std::uint8_t>(std::endian);
template ElementType element_type<std::int8_t>(std::endian);
template ElementType element_type<std::int16_t>(std::endian);
template ElementType element_type<std::int32_t>(std::endian);
template ElementType element_type<std::int64_t>(std::endian);
template ElementType element_type<float>(std::endian);
template ElementType element_type<double>(std::endian);

Array make_array(File file, std::size_t header, std::vector<std::size_t> shape, ElementType type) {
  if (shape.empty()) throw Error(file.name + ": holds a single number, not an array of rows");
  if (std::ranges::find(shape, 0U) != shape.end()) {
    throw Error(file.name + ": an array of " + describe(shape) + " has no elements");
  }
  const auto needed = size_in_bytes(shape, type.size);
  const std::size_t held = file.bytes.size() - header;
  if (needed != held) {
    throw Error(file.name + ": its header says " + describe(shape) + " elements of " +
                std::to_string(type.size) + " bytes, but " + std::to_string(held) + " bytes follow: it is " +
                (needed && *needed < held ? "too long" : "truncated") + " or damaged");
  }
  file.bytes.erase(file.bytes.begin(), file.bytes.begin() + static_cast<std::ptrdiff_t>(header));
  return {std::move(file.name), std::move(shape), type, std::move(file.bytes)};
}

Dataset features_of(Array array) {
  if (array.shape.size() < 2) {
    throw Error(array.name +
                ": has one dimension; rows of features need two or more (is it a file of labels?)");
  }
  const std::size_t elements = array.data.size() / array.type.size;
  Dataset data;
  data.rows = array.shape[0];
  data.features = elements / data.rows;
  if (array.type.byte) {
    data.bytes = std::move(array.data);
    return data;
  }
  data.floats.resize(elements);
  for (std::size_t i = 0; i < elements; ++i) data.floats[i] = static_cast<float>(finite(array, i));
  return data;
}

std::vector<double> label_values(const Array& labels, std::size_t rows, const std::string& owner) {
  if (labels.shape.size() != 1) {
    throw Error(labels.name + ": has shape " + describe(labels.shape) + "; labels need one dimension");
  }
  if (labels.shape[0] != rows) {
    throw Error(labels.name + ": has " + std::to_string(labels.shape[0]) + " labels, but " + owner + " has " +
                std::to_string(rows) + " rows");
  }
  std::vector<double> values(rows);
  for (std::size_t i = 0; i < rows; ++i) values[i] = finite(labels, i);
  return values;
}

LabelledTable take_label_column(const Array& table, std::size_t column) {
  const std::size_t columns = table.shape[1];
  LabelledTable result;
  result.features.rows = table.shape[0];
  result.features.features = columns - 1;
  result.features.floats.reserve(table.shape[0] * (columns - 1));
  result.labels.reserve(table.shape[0]);
  for (std::size_t i = 0; i < table.shape[0] * columns; ++i) {
    if (i % columns == column) {
      result.labels.push_back(finite(table, i));
    } else {
      result.features.floats.push_back(static_cast<float>(finite(table, i)));
    }
  }
  return result;
}

}  // namespace popsgd::sim
