// Differential privacy of what leaves a device: clipped local updates, Gaussian noise, and an account of both.
#pragma once

#include <popsgd/entropy.h>
#include <popsgd/gradient.h>
#include <popsgd/model.h>
#include <popsgd/status.h>

#include <cstddef>
#include <cstdint>

namespace popsgd {

/// How much the noise of Gaussian mechanisms hides. One of sensitivity s and standard deviation t is (s/t)-GDP; several,
/// each chosen in sight of what the earlier ones gave, are mu-GDP together with mu^2 the sum of their squares (Dong, Roth, Su:
/// Gaussian differential privacy, 2022, Cor. 3.3; for parameters that are chosen on the way, too, as long as the sum stays
/// below a bound: Smith, Thakurta: Fully adaptive composition for Gaussian differential privacy, 2022).
namespace accountant {

/// The smallest delta for which mu-GDP is (epsilon, delta)-differential privacy: Phi(-epsilon/mu + mu/2) -
/// e^epsilon Phi(-epsilon/mu - mu/2) (Balle, Wang, 2018, Theorem 8; Dong, Roth, Su, Cor. 2.13). mu, epsilon >= 0.
[[nodiscard]] double delta_at(double mu, double epsilon) noexcept;

/// The smallest epsilon, rounded up. mu >= 0, 0 < delta < 1.
[[nodiscard]] double epsilon_at(double mu, double delta) noexcept;

/// The largest mu, rounded down, that (epsilon, delta) admits. epsilon >= 0, 0 < delta < 1.
[[nodiscard]] double most_mu(double epsilon, double delta) noexcept;

/// The mu of so many releases of a whole model with Privacy::Settings::noise: 2 sqrt(releases) / noise. Whatever a device's
/// data, two of its clipped updates are at most twice the clipping norm apart.
[[nodiscard]] double mu_after(double releases, double noise) noexcept;

/// Their epsilon: what an agent will have spent, to be asked before there is one.
[[nodiscard]] double epsilon_after(double releases, double noise, double delta) noexcept;

/// How many an (epsilon, delta) admits.
[[nodiscard]] std::uint64_t most_releases(double epsilon, double delta, double noise) noexcept;

}  // namespace accountant

/// What AgentConfig::privacy points to: all that leaves the agent becomes a function of its releases and of what peers have
/// sent. A release is made when a block's snapshot is taken: the local updates u of the block since its last release
/// are clipped to an Euclidean norm, noise is added, and what comes of it takes their place in the model itself:
///
///     x = p + u;   p <- p + u min(1, C_b / |u|) + N(0, (noise C)^2);   x <- p;   C_b = C sqrt(length / parameters)
///
/// p is what is shown; averaging moves x and p alike. So no update leaves twice, and one release of the whole model costs
/// as much as its blocks do one by one. What is protected are all of the device's data at once: (epsilon, delta) holds
/// for any other data, or none, in their place. What is not: see sdk/README.md.
///
/// The caller's object, one for each agent, and it outlives the agent. A program that makes none does not contain it.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): nobody deletes it; see Trainer
class Privacy {
 public:
  struct Settings {
    float clip = 1;       ///< C, > 0: about as far as local steps lead between two exchanges
    float noise = 10;     ///< of a parameter, in units of C, > 0; clip * noise from 1e-30 to 1e30
    double epsilon = 8;   ///< the budget, > 0: what would exceed it is not released
    double delta = 1e-6;  ///< above 0, below 1: well below 1 in the number of devices
    std::uint32_t ahead =
        32;  ///< releases that a checkpoint pays for in advance. A loss of power costs as many at most,
             ///< and forgets none: nothing is released before Agent::save() has succeeded. 0: the
             ///< count is this object's alone, for agents that are never to start again
  };

  /// `entropy` gives the noise, 8 bytes a parameter at each release, and must outlive it.
  Privacy(const Settings& settings, Entropy& entropy) noexcept;

  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  /// Spent so far, at Settings::delta; what was paid in advance before the last start is spent.
  [[nodiscard]] double epsilon() const noexcept;
  /// How many more releases of the whole model the budget admits.
  [[nodiscard]] double left() const noexcept;
  /// Whether a checkpoint should be made soon: less than half of what the last one paid for is left.
  [[nodiscard]] bool wants_save() const noexcept;
  /// Blocks whose local updates have left, with noise, since this object was made.
  [[nodiscard]] std::uint64_t releases() const noexcept { return releases_; }
  /// Offers not made, or answered with BUSY, and blocks shown without local updates: the budget, or what the last checkpoint
  /// paid for of it, did not admit them.
  [[nodiscard]] std::uint64_t withheld() const noexcept { return withheld_; }
  /// Nothing is released any more: a last checkpoint pays for nothing in advance.
  void close() noexcept { closed_ = true; }
  [[nodiscard]] bool closed() const noexcept { return closed_; }

  /// One release of a block of a model of so many parameters. budget_spent: nothing has changed. no_entropy: it has been paid for,
  /// and only what was given noise is shown.
  [[nodiscard]] Status release(Params model, Params shown, std::size_t parameters) noexcept;

  // --- what the agent calls. Virtual, so that a program without privacy does not refer to any of it.

  /// invalid_rate for settings out of range.
  [[nodiscard]] virtual Status check() const noexcept;
  /// An agent begins with this model, all of which may be known. `shown`: as long, and the agent's.
  virtual void begin(const Model& model, Params shown) noexcept;
  /// Its model as others may know it.
  [[nodiscard]] const Model& shown() const noexcept { return shown_; }
  /// The model has been stepped.
  void has_learned() noexcept { unreleased_ = model_.size(); }
  /// Whether an exchange is paid for: none has to be for what has not been learned.
  [[nodiscard]] virtual bool admits_exchange() noexcept;
  /// Blocks of this exchange need not be those of the last one.
  virtual void begin_exchange() noexcept;
  /// A block is about to be shown: its local updates leave, once in an exchange, unless the budget is spent.
  virtual void show(std::size_t offset, std::size_t length) noexcept;
  /// By how much a release may change a parameter, root mean square: the same for all data.
  [[nodiscard]] virtual float spread() const noexcept;
  /// What a checkpoint has to hold: mu^2, spent and paid for in advance.
  [[nodiscard]] virtual double reserve() noexcept;
  /// That checkpoint is durable.
  virtual void reserved() noexcept;
  /// Goes on from what a checkpoint held; closed if that is no number.
  virtual void resume(double reserved) noexcept;

 private:
  [[nodiscard]] double cost(std::size_t length, std::size_t parameters) const noexcept;
  [[nodiscard]] bool affords(double cost) const noexcept;

  Settings settings_;
  Entropy& entropy_;
  double most_;         // mu^2 of the budget
  double spent_ = 0;    // mu^2
  double paid_;         // as far as releases may go
  double pending_ = 0;  // as far as they may when the checkpoint is durable
  bool closed_ = false;

  Model model_{};
  Model shown_{};
  std::size_t unreleased_ = 0;  // parameters at most of which updates have not left; 0: there are none
  std::uint64_t releases_ = 0;
  std::uint64_t withheld_ = 0;
};

}  // namespace popsgd
