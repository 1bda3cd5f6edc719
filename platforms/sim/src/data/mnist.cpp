// The file layout of MNIST, which Fashion-MNIST, KMNIST and EMNIST share: two IDX files to learn from, two
// to test on.
#include "readers.h"

#include <cstdlib>
#include <optional>

namespace popsgd::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTrainImages = "train-images-idx3-ubyte";
constexpr std::string_view kTrainLabels = "train-labels-idx1-ubyte";
constexpr std::string_view kTestImages = "t10k-images-idx3-ubyte";
constexpr std::string_view kTestLabels = "t10k-labels-idx1-ubyte";

/// The file called `name`, or else `name`.gz.
std::optional<fs::path> find(const fs::path& directory, std::string_view name) {
  const fs::path plain = directory / name;
  for (const fs::path& path : {plain, fs::path(plain.string() + ".gz")}) {
    std::error_code unreadable;
    if (fs::exists(path, unreadable)) return path;
  }
  return std::nullopt;
}

Array read(const fs::path& directory, std::string_view name) {
  if (const auto path = find(directory, name)) return read_idx(read_file(*path));
  throw Error(directory.string() + ": has no file " + std::string(name) +
              " or .gz of it; a directory of data holds the four files of MNIST");
}

std::optional<fs::path> fashion_mnist_directory() {
  std::vector<fs::path> places;
  if (const char* const root = std::getenv("POPSGD_DATA")) places.push_back(fs::path(root) / "fashion-mnist");
  places.emplace_back("/usr/share/datasets/fashion-mnist");
  for (const fs::path& place : places) {
    if (find(place, kTrainImages)) return place;
  }
  return std::nullopt;
}

}  // namespace

Split load_directory(const DataSpec& spec, const fs::path& directory) {
  const Options options(spec, {"task", "standardise"});
  Split split{features_of(read(directory, kTrainImages)), features_of(read(directory, kTestImages))};
  if (split.train.features != split.test.features) {
    throw Error(directory.string() + ": its training images have " + std::to_string(split.train.features) +
                " pixels, but its test images have " + std::to_string(split.test.features));
  }
  if (split.train.bytes.empty() != split.test.bytes.empty()) {
    throw Error(directory.string() + ": its training and test images differ in the type of their pixels");
  }
  // Encoded together: a class that only one part has still gets the same number in both.
  std::vector<double> labels =
      label_values(read(directory, kTrainLabels), split.train.rows, std::string(kTrainImages));
  const std::vector<double> more =
      label_values(read(directory, kTestLabels), split.test.rows, std::string(kTestImages));
  labels.insert(labels.end(), more.begin(), more.end());
  const Labels encoded = encode_labels(labels, task_of(options));
  attach(encoded, 0, split.train);
  attach(encoded, split.train.rows, split.test);
  standardise(split, standardise_of(options, split.train));
  return split;
}

Split load_fashion_mnist(const DataSpec& spec, std::uint64_t /*seed*/) {
  if (const auto directory = fashion_mnist_directory()) return load_directory(spec, *directory);
  throw Error(
      "fashion-mnist is not on this machine: apt-get install dataset-fashion-mnist, set POPSGD_DATA to the "
      "directory that holds fashion-mnist/, or give the path of a directory with its four files");
}

bool fashion_mnist_available() {
  return fashion_mnist_directory().has_value();
}

}  // namespace popsgd::sim
