// The steps from a file to a Split: read the file, decode its format, encode its labels, split, standardise.
#pragma once

#include <popsgd/sim/data_source.h>
#include <popsgd/sim/dataset.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace popsgd::sim {

// ---- file.cpp: bytes

/// A file's content, decompressed if it was compressed by gzip.
struct File {
  std::string name;
  std::vector<std::uint8_t> bytes;
};

[[nodiscard]] File read_file(const std::filesystem::path& path);

// ---- array.cpp: arrays of numbers, the common ground of IDX and .npy

/// How an element is stored.
struct ElementType {
  std::size_t size;
  bool byte;                              ///< an unsigned byte: kept as it is
  double (*decode)(const std::uint8_t*);  ///< the value stored at an address
};

/// Defined for (u)int8_t, int16_t, int32_t, int64_t, float and double.
template <class Value>
[[nodiscard]] ElementType element_type(std::endian order);

/// An array in C order, the last index fastest; data.size() is exactly the product of shape and type.size.
struct Array {
  std::string name;
  std::vector<std::size_t> shape;  ///< at least one dimension, none of them 0
  ElementType type;
  std::vector<std::uint8_t> data;
};

/// The array whose elements follow `header` bytes of the file; throws Error unless they fill the rest of it.
[[nodiscard]] Array make_array(File file, std::size_t header, std::vector<std::size_t> shape,
                               ElementType type);

/// Rows whose features are all elements of one first index each, without labels.
[[nodiscard]] Dataset features_of(Array array);

/// The one-dimensional array `labels`, one number for each of the `rows` rows of the file `owner`.
[[nodiscard]] std::vector<double> label_values(const Array& labels, std::size_t rows,
                                               const std::string& owner);

/// A table as its features and, taken out of them, the column of labels.
struct LabelledTable {
  Dataset features;
  std::vector<double> labels;
};
[[nodiscard]] LabelledTable take_label_column(const Array& table, std::size_t column);

// ---- idx.cpp, npy.cpp: the formats of arrays

[[nodiscard]] bool is_idx(const File& file);
[[nodiscard]] bool is_npy(const File& file);
[[nodiscard]] Array read_idx(File file);
[[nodiscard]] Array read_npy(File file);

// ---- labels.cpp: what is to be learned

enum class Task { inferred, classes, regression };

/// The option task.
[[nodiscard]] Task task_of(const Options& options);

/// Labels of rows: a class each if classes > 0, else a target value each.
struct Labels {
  std::size_t classes = 0;
  std::vector<std::uint32_t> labels;
  std::vector<float> targets;
};

/// Classes, numbered in the sorted order of their labels, or targets (rounded to float).
[[nodiscard]] Labels encode_labels(const std::vector<double>& values, Task task);

/// Likewise from text: by value if every word is a number, else as classes by name.
[[nodiscard]] Labels encode_labels(const std::vector<std::string>& words, Task task);

/// Gives the rows of `data` the labels from number `first` on.
void attach(const Labels& labels, std::size_t first, Dataset& data);

// ---- csv.cpp: text

/// `label` is the label column's name or number counted from 1, or "" for the last column.
[[nodiscard]] Dataset read_csv(const File& file, const std::string& label, Task task);

// ---- split.cpp, standardise.cpp: from rows to experiments

/// Holds out round(test x rows) rows drawn at random, at least one, and leaves at least one; test is the
/// option of that name, a fraction.
[[nodiscard]] Split split_rows(const Dataset& all, const Options& options, std::uint64_t seed);

enum class Standardise { none, unit, global, feature };

/// The option standardise; its default depends on whether the rows of `train` are bytes.
[[nodiscard]] Standardise standardise_of(const Options& options, const Dataset& train);

/// Fills scale and shift of both parts from the statistics of the training rows.
void standardise(Split& split, Standardise how);

// ---- the sources that load_data() chooses from

[[nodiscard]] Split load_fashion_mnist(const DataSpec& spec, std::uint64_t seed);
[[nodiscard]] Split load_directory(const DataSpec& spec, const std::filesystem::path& directory);
[[nodiscard]] Split make_blobs(const DataSpec& spec, std::uint64_t seed);
[[nodiscard]] Split make_logistic(const DataSpec& spec, std::uint64_t seed);

}  // namespace popsgd::sim
