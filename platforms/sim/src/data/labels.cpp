#include "readers.h"

#include <algorithm>
#include <cmath>

namespace popsgd::sim {
namespace {

/// More different whole numbers than this are taken for measurements, not for names of classes.
constexpr std::size_t kMostClassesInferred = 1000;

template <class Value>
std::vector<Value> distinct(std::vector<Value> values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

template <class Value>
Labels as_classes(const std::vector<Value>& values, const std::vector<Value>& classes) {
  Labels result{classes.size(), {}, {}};
  result.labels.reserve(values.size());
  for (const Value& value : values) {
    const auto place = std::ranges::lower_bound(classes, value);
    result.labels.push_back(static_cast<std::uint32_t>(place - classes.begin()));
  }
  return result;
}

}  // namespace

Task task_of(const Options& options) {
  if (options.text("task", "").empty()) return Task::inferred;
  return options.choice("task", {"classes", "regression"}, "") == "classes" ? Task::classes
                                                                            : Task::regression;
}

Labels encode_labels(const std::vector<double>& values, Task task) {
  const bool whole = std::ranges::all_of(values, [](double v) { return v == std::floor(v); });
  if (task == Task::classes || (task == Task::inferred && whole)) {
    const std::vector<double> classes = distinct(values);
    if (task == Task::classes || classes.size() <= kMostClassesInferred) return as_classes(values, classes);
  }
  Labels result;
  result.targets.reserve(values.size());
  for (const double value : values) result.targets.push_back(static_cast<float>(value));
  return result;
}

Labels encode_labels(const std::vector<std::string>& words, Task task) {
  std::vector<double> numbers;
  for (const std::string& word : words) {
    const auto number = to_real(word);
    if (!number) return as_classes(words, distinct(words));
    numbers.push_back(*number);
  }
  return encode_labels(numbers, task);
}

void attach(const Labels& labels, std::size_t first, Dataset& data) {
  const auto slice = [&](const auto& values) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector(begin, begin + static_cast<std::ptrdiff_t>(data.rows));
  };
  data.classes = labels.classes;
  if (labels.classes > 0) {
    data.labels = slice(labels.labels);
  } else {
    data.outputs = 1;
    data.targets = slice(labels.targets);
  }
}

}  // namespace popsgd::sim
