#include "readers.h"

#include <algorithm>
#include <array>
#include <utility>

namespace popsgd::sim {
namespace {

struct Source {
  std::string_view name;
  Split (*load)(const DataSpec& spec, std::uint64_t seed);
};

constexpr std::array kSources{
    Source{"fashion-mnist", load_fashion_mnist},
    Source{"blobs", make_blobs},
    Source{"logistic", make_logistic},
};

Array read_array(File file) {
  return is_npy(file) ? read_npy(std::move(file)) : read_idx(std::move(file));
}

/// Sets that are moments in a formula: Problem makes them without a row to load.
constexpr std::array<std::string_view, 2> kMomentsOnly{"least-squares", "noise"};

/// Labels from a file of their own.
Dataset join_labels(Array array, const std::string& labels_file, Task task) {
  const std::string name = array.name;
  Dataset data = features_of(std::move(array));
  const Array labels = read_array(read_file(labels_file));
  attach(encode_labels(label_values(labels, data.rows, name), task), 0, data);
  return data;
}

/// Labels from a column of the table.
Dataset split_off_labels(const Array& table, const Options& options, Task task) {
  if (table.shape.size() != 2 || table.shape[1] < 2) {
    throw Error(table.name + ": is not a table of features and labels; labels=FILE names a file of labels");
  }
  const std::size_t column = options.count("label", table.shape[1], 1, table.shape[1]);
  LabelledTable parts = take_label_column(table, column - 1);
  attach(encode_labels(parts.labels, task), 0, parts.features);
  return std::move(parts.features);
}

Dataset load_array(File file, const Options& options) {
  const std::string labels_file = options.text("labels", "");
  const Task task = task_of(options);
  Array array = read_array(std::move(file));
  if (labels_file.empty()) return split_off_labels(array, options, task);
  if (!options.text("label", "").empty()) throw options.wrong("label", "no label=COLUMN beside labels=FILE");
  return join_labels(std::move(array), labels_file, task);
}

Split load_file(const DataSpec& spec, std::uint64_t seed) {
  File file = read_file(spec.name);
  const bool array = is_npy(file) || is_idx(file);
  const Options options = array ? Options(spec, {"label", "labels", "task", "standardise", "test"})
                                : Options(spec, {"label", "task", "standardise", "test"});
  const Dataset all = array ? load_array(std::move(file), options)
                            : read_csv(file, options.text("label", ""), task_of(options));
  Split split = split_rows(all, options, seed);
  standardise(split, standardise_of(options, split.train));
  return split;
}

Error unknown_data(const std::string& name) {
  const std::vector<std::string_view> names = data_names();
  std::string list;
  for (const std::string_view known : names) list += (list.empty() ? "" : ", ") + std::string(known);
  if (std::ranges::find(kMomentsOnly, name) != kMomentsOnly.end()) {
    return Error(name + ": is known by its moments and has no rows of features and labels to load");
  }
  const std::string_view stem = std::string_view(name).substr(0, name.find(':'));
  return Error("'" + name + "' is neither a file nor one of the data sets " + list +
               " (options are written as in blobs:d=8,classes=4)" + suggest(stem, names));
}

}  // namespace

Split load_data(const DataSpec& spec, std::uint64_t seed) {
  const auto source = std::ranges::find(kSources, spec.name, &Source::name);
  if (source != kSources.end()) return source->load(spec, seed);
  std::error_code unreadable;
  if (std::filesystem::is_directory(spec.name, unreadable)) return load_directory(spec, spec.name);
  if (std::filesystem::exists(spec.name, unreadable)) return load_file(spec, seed);
  throw unknown_data(spec.name);
}

std::vector<std::string_view> data_names() {
  std::vector<std::string_view> names;
  for (const Source& source : kSources) names.push_back(source.name);
  names.insert(names.end(), kMomentsOnly.begin(), kMomentsOnly.end());
  return names;
}

}  // namespace popsgd::sim
