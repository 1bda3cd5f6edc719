#include <popsgd/sim/error.h>
#include <popsgd/sim/problem.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

namespace popsgd::sim {
namespace {

constexpr std::array<std::string_view, 4> kModels{"linear", "logistic", "softmax", "mlp:64"};

// Noise vectors of mean exactly 0 and variance exactly `variance` in every coordinate over the table, so that drawing
// rows uniformly gives gradients whose first two moments are those of the formulas, not estimates of them.
Values noise_table(std::size_t samples, std::size_t d, double variance, std::uint64_t seed) {
  Values table(samples * d);
  Random random(seed, Purpose::data);
  for (float& value : table) value = random.normal();
  for (std::size_t k = 0; k < d; ++k) {
    double sum = 0;
    double squares = 0;
    for (std::size_t row = 0; row < samples; ++row) {
      const double value = static_cast<double>(table[row * d + k]);
      sum += value;
      squares += value * value;
    }
    const double mean = sum / static_cast<double>(samples);
    const double scale = std::sqrt(variance / (squares / static_cast<double>(samples) - mean * mean));
    for (std::size_t row = 0; row < samples; ++row) {
      float& value = table[row * d + k];
      value = static_cast<float>((static_cast<double>(value) - mean) * scale);
    }
  }
  return table;
}

std::vector<std::uint32_t> hidden_widths(std::string_view model) {
  std::vector<std::uint32_t> widths;
  std::string_view rest = model.substr(std::min(model.size(), std::string_view("mlp:").size()));
  do {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const long long width = parse_integer(rest.substr(0, comma), "a width in --model " + std::string(model));
    if (width < 1 || width > 65536) {
      throw Error("--model " + std::string(model) + ": a hidden layer has 1 to 65536 units, not " +
                  std::to_string(width));
    }
    widths.push_back(static_cast<std::uint32_t>(width));
    rest = comma < rest.size() ? rest.substr(comma + 1) : std::string_view{};
  } while (!rest.empty());
  return widths;
}

}  // namespace

Problem::Problem(const DataSpec& data, std::string_view model, std::uint64_t seed) : seed_(seed) {
  if (data.name == "least-squares" || data.name == "noise") {
    if (!model.empty() && model != "linear") {
      throw Error("--model " + std::string(model) + " does not fit --data " + data.name +
                  ", whose rows are measurements of the parameters; use --model linear");
    }
    model_ = "linear";
    make_quadratic(data, seed);
  } else {
    data_ = load_data(data, seed);
    make_network(model);
  }
}

Problem::~Problem() = default;

void Problem::make_quadratic(const DataSpec& data, std::uint64_t seed) {
  const bool flat = data.name == "noise";
  const Options options = flat ? Options(data, {"d", "noise", "samples"})
                               : Options(data, {"d", "noise", "samples", "kappa", "distance"});
  const std::size_t d = options.count("d", 32, 1, 1U << 20);
  const double noise = options.real("noise", 1, 0, 1e6);
  const std::size_t samples = options.count("samples", 60000, 2, 1U << 24);
  const double kappa = flat ? 1 : options.real("kappa", 10, 1, 1e6);
  distance_ = flat ? 0 : options.real("distance", 1, 0, 1e6);
  noise_variance_ = noise * noise / static_cast<double>(d);

  curvature_.resize(d);
  for (std::size_t k = 0; k < d; ++k) {
    const double place = d == 1 ? 0 : static_cast<double>(k) / static_cast<double>(d - 1);
    curvature_[k] = flat ? 0.0F : static_cast<float>(std::pow(kappa, -place));
  }
  quadratic_ = std::make_unique<Quadratic>(curvature_);
  Dataset& train = data_.train;
  train.rows = samples;
  train.features = d;
  train.floats = noise_table(samples, d, noise_variance_, seed);
  train.scale.assign(d, 1);
  train.shift.assign(d, 0);
}

void Problem::make_network(std::string_view model) {
  const Dataset& train = data_.train;
  const auto classes = static_cast<std::uint32_t>(train.classes);
  model_ = model.empty() ? (classes > 0 ? "softmax" : "linear") : std::string(model);
  const auto inputs = static_cast<std::uint32_t>(train.features);
  const std::uint32_t outputs = classes > 0 ? classes : static_cast<std::uint32_t>(train.outputs);
  Loss loss = classes > 0 ? Loss::cross_entropy : Loss::squared;
  widths_ = {inputs, outputs};
  if (model_ == "linear") {
    loss = Loss::squared;
  } else if (model_ == "logistic") {
    if (classes != 2)
      throw Error("--model logistic needs data of two classes, not " + std::to_string(classes));
    loss = Loss::logistic;
    widths_ = {inputs, 1};
  } else if (model_ == "softmax") {
    if (classes < 2) throw Error("--model softmax needs data with classes; use --model linear");
  } else if (model_.starts_with("mlp:") || model_ == "mlp") {
    const auto hidden = hidden_widths(model_ == "mlp" ? model_ += ":64" : model_);
    widths_.insert(widths_.begin() + 1, hidden.begin(), hidden.end());
  } else {
    throw Error("--model " + model_ + " is not known" + suggest(model_, kModels) +
                "; the models are linear, logistic, softmax and mlp:WIDTH[,WIDTH...]");
  }
  const auto made = Network::make(widths_, loss);
  if (!made.ok()) throw Error("--model " + model_ + ": " + std::string(text(made.status())));
  network_ = std::make_unique<Network>(made.value());
}

std::size_t Problem::parameters() const {
  return network_ ? network_->parameters() : quadratic_->parameters();
}

Gradient Problem::gradient(std::size_t rows) const {
  return network_ ? network_->gradient(rows) : quadratic_->gradient();
}

void Problem::initialise(Params x) const {
  if (network_) {
    network_->initialise(x, initial_random());
  } else {
    std::fill(x.begin(), x.end(), static_cast<float>(distance_ / std::sqrt(static_cast<double>(x.size()))));
  }
}

std::size_t Problem::score_scratch() const {
  return network_ ? network_->scratch_size(kScoreRows) + kScoreRows * network_->inputs() : 0;
}

Score Problem::score(ConstParams x, std::size_t rows, Scratch memory) const {
  Score result;
  if (!network_) {
    result.loss = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      result.loss +=
          0.5 * static_cast<double>(curvature_[k]) * static_cast<double>(x[k]) * static_cast<double>(x[k]);
    }
    return result;
  }
  const Dataset& test = data_.test;
  rows = std::min(rows, test.rows);
  const Scratch features = memory.first(kScoreRows * test.features);
  const Scratch scratch = memory.subspan(features.size());
  std::array<std::uint32_t, kScoreRows> index;
  double loss = 0;
  std::size_t correct = 0;
  for (std::size_t start = 0; start < rows; start += kScoreRows) {
    const std::size_t count = std::min(kScoreRows, rows - start);
    std::iota(index.begin(), index.begin() + static_cast<std::ptrdiff_t>(count),
              static_cast<std::uint32_t>(start));
    test.gather({index.data(), count}, features.data());
    Batch batch{.rows = count, .features = features.first(count * test.features)};
    if (test.classes > 0) {
      batch.labels = std::span(test.labels).subspan(start, count);
    } else {
      batch.targets = std::span(test.targets).subspan(start * test.outputs, count * test.outputs);
    }
    const auto evaluation = network_->evaluate(x, batch, scratch);
    loss += evaluation.loss;
    correct += evaluation.correct;
  }
  result.loss = loss / static_cast<double>(rows);
  if (classifies()) result.accuracy = static_cast<double>(correct) / static_cast<double>(rows);
  return result;
}

}  // namespace popsgd::sim
