// Where rows come from: files, the sets a distribution packages, and sets drawn from a formula.
#pragma once

#include <popsgd/sim/dataset.h>
#include <popsgd/sim/error.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace popsgd::sim {

/// What to learn from, as it is asked for: NAME or PATH, then options as in `blobs:d=8,classes=4`.
///
/// | data               | rows                                      | options                              |
/// | ------------------ | ----------------------------------------- | ------------------------------------ |
/// | fashion-mnist      | 60000 + 10000 images of 28 x 28 pixels    | task, standardise                    |
/// | blobs              | Gaussian clouds, one for each class       | d, classes, samples, separation,     |
/// |                    |                                           | spread, test                         |
/// | logistic           | labels drawn from a logistic model        | d, samples, signal, test             |
/// | a directory        | the four IDX files of MNIST, .gz or not   | task, standardise                    |
/// | a CSV file         | the last column is the label              | label, task, standardise, test       |
/// | a .npy file, 2-D   | the last column is the label              | label, task, standardise, test       |
/// | a .npy or IDX file | all columns are features                  | labels=FILE, task, standardise, test |
///
/// Any file may be compressed by gzip.
///   test         fraction of the rows held out for testing, 0.2 by default
///   standardise  none; global or feature: mean 0 and variance 1 over all values or in every column, by the
///                training rows' statistics; unit: bytes / 255. By default global for bytes, else feature
///   task         classes or regression; by default classes when labels are words or at most 1000 different
///                whole numbers. Classes are numbered from 0 in the sorted order of their labels
///   label        the label's column: a name in the header, or its number counted from 1
struct DataSpec {
  std::string name;
  std::map<std::string, std::string> options;

  /// Takes what follows the last colon as options if it reads key=value[,key=value], else as part of the
  /// name: a path may contain colons. Throws Error for an empty name or an option given twice.
  [[nodiscard]] static DataSpec parse(std::string_view text);
};

/// The options of a DataSpec by type. Every error names the data, the option, its value and what is right.
class Options {
 public:
  /// Throws Error if the spec has an option that is not in `known`. Keeps a reference to `spec`.
  Options(const DataSpec& spec, std::initializer_list<std::string_view> known);

  /// The name of the data, for errors.
  [[nodiscard]] const std::string& name() const { return spec_.name; }

  /// The option's value, or `fallback` if it is not given; throws Error unless lowest <= value <= highest.
  [[nodiscard]] std::size_t count(const std::string& key, std::size_t fallback, std::size_t lowest,
                                  std::size_t highest) const;
  [[nodiscard]] double real(const std::string& key, double fallback, double lowest, double highest) const;

  /// The option's text, or `fallback`; of choice(), one of `words`.
  [[nodiscard]] std::string text(const std::string& key, std::string_view fallback) const;
  [[nodiscard]] std::string choice(const std::string& key, std::initializer_list<std::string_view> words,
                                   std::string_view fallback) const;

  /// The error to throw for a value that is wrong for a reason only the caller knows.
  [[nodiscard]] Error wrong(const std::string& key, std::string_view right) const;

 private:
  const DataSpec& spec_;
};

/// Reads or draws the data. The same spec, files and seed give the same rows in the same order; the seed
/// decides what synthetic sets contain and which rows are held out for testing. Every row has a finite value
/// in every column, train and test have at least one row each, and scale and shift are filled.
/// Throws Error for an unknown name or option, and for a file that is missing, damaged or does not fit.
[[nodiscard]] Split load_data(const DataSpec& spec, std::uint64_t seed);

/// The names data may have besides paths: those load_data() knows, and the two that only Problem does.
[[nodiscard]] std::vector<std::string_view> data_names();

/// True when Fashion-MNIST lies in $POPSGD_DATA/fashion-mnist or where Debian's package
/// dataset-fashion-mnist puts it.
[[nodiscard]] bool fashion_mnist_available();

}  // namespace popsgd::sim
