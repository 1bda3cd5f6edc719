// What a swarm learns: a data set and a model that fits it.
#pragma once

#include <popsgd/gradient.h>
#include <popsgd/network.h>
#include <popsgd/quadratic.h>
#include <popsgd/random.h>
#include <popsgd/sim/data_source.h>
#include <popsgd/sim/dataset.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace popsgd::sim {

/// How good a model is on rows it was not trained on.
struct Score {
  double loss = std::numeric_limits<double>::quiet_NaN();  ///< mean over the rows
  double accuracy =
      std::numeric_limits<double>::quiet_NaN();  ///< share of rows classified rightly; NaN without classes
};

/// A data set and a model over it. Immutable once made; all of it may be used from many threads at once.
class Problem {
 public:
  /// `data`: see load_data(), and two sets without rows to test on, whose every moment is known:
  ///   least-squares:d=32,noise=1,kappa=10,distance=1,samples=60000
  ///       Quadratic with d eigenvalues spaced evenly in log from 1 to 1/kappa; gradient noise of total variance
  ///       noise^2, equal in every coordinate; models start `distance` from the optimum (at 0)
  ///   noise:d=32,noise=1,samples=60000
  ///       gradients that are nothing but that noise
  /// `model`: linear, logistic, softmax, mlp:WIDTH[,WIDTH...]; empty: what suits the data. Throws Error when the
  /// model does not fit the data.
  Problem(const DataSpec& data, std::string_view model, std::uint64_t seed);
  ~Problem();
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  /// The model as it is called on the command line.
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const Dataset& train() const { return data_.train; }
  [[nodiscard]] const Dataset& test() const { return data_.test; }
  [[nodiscard]] std::size_t parameters() const;
  [[nodiscard]] bool classifies() const { return data_.train.classes > 0; }

  /// The model as a gradient callback for batches of up to `rows`.
  [[nodiscard]] Gradient gradient(std::size_t rows) const;

  /// Layer widths of the network, from the inputs on; none and null when the objective is a quadratic.
  [[nodiscard]] std::span<const std::uint32_t> widths() const { return widths_; }
  [[nodiscard]] const Network* network() const { return network_.get(); }

  /// What a network's initial weights are drawn from.
  [[nodiscard]] Random initial_random() const { return {seed_, Purpose::initial_model}; }

  /// Where every agent starts (a function of the seed).
  void initialise(Params x) const;

  /// Set when the objective is a quadratic with known moments, else null; its noise is noise_variance() a coordinate.
  [[nodiscard]] const Quadratic* quadratic() const { return quadratic_.get(); }
  [[nodiscard]] double noise_variance() const { return noise_variance_; }

  /// The score on the first `rows` rows of the test set, in blocks of kScoreRows; a Quadratic is scored exactly, by
  /// its distance from the optimum. `memory` holds at least score_scratch() floats.
  [[nodiscard]] Score score(ConstParams x, std::size_t rows, Scratch memory) const;
  [[nodiscard]] std::size_t score_scratch() const;
  static constexpr std::size_t kScoreRows = 200;

 private:
  void make_quadratic(const DataSpec& data, std::uint64_t seed);
  void make_network(std::string_view model);

  Split data_;
  std::string model_;
  std::uint64_t seed_;
  std::vector<std::uint32_t> widths_;
  std::unique_ptr<Network> network_;
  std::vector<float> curvature_;
  std::unique_ptr<Quadratic> quadratic_;
  double noise_variance_ = 0;
  double distance_ = 0;
};

}  // namespace popsgd::sim
