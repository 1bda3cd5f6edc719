#include <popsgd/privacy.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

namespace popsgd {
namespace {

constexpr std::size_t kPiece = 32;  // parameters: 256 bytes of entropy at a time
using Normals = std::array<double, kPiece>;

// Box and Muller, 1958, of 64 bits a uniform: what would lie further out than the last of them, 9.5 deviations, happens
// once in 10^20 draws.
Status draw(Entropy& entropy, Normals& normals) {
  std::array<std::uint64_t, kPiece> bits;
  if (const Status status = entropy.fill(std::as_writable_bytes(std::span(bits))); status != Status::ok)
    return status;
  for (std::size_t k = 0; k < kPiece; k += 2) {
    const double radius = std::sqrt(-2 * std::log((static_cast<double>(bits[k]) + 0.5) * 0x1p-64));
    const double angle = 2 * std::numbers::pi * 0x1p-64 * static_cast<double>(bits[k + 1]);
    normals[k] = radius * std::cos(angle);
    normals[k + 1] = radius * std::sin(angle);
  }
  return Status::ok;
}

// What the local updates are multiplied by: 0 if they are no numbers.
double factor(ConstParams model, ConstParams shown, double most) {
  double squares = 0;
  for (std::size_t k = 0; k < model.size(); ++k) {
    const double update = static_cast<double>(model[k]) - static_cast<double>(shown[k]);
    squares += update * update;
  }
  if (!std::isfinite(squares)) return 0;
  const double norm = std::sqrt(squares);
  return norm <= most ? 1 : most / norm;
}

// The lowest bits of a sum of floats tell what was added (Mironov: On significance of the least significant bits for
// differential privacy, 2012). So what is released lies on a lattice of powers of two that is the same for all data, far
// finer than the noise, and where parameters are below 4096 deviations, coarser than their last bit.
double lattice_step(double deviation) {
  constexpr int kFiner = 12;
  return std::ldexp(1.0, std::ilogb(deviation) - kFiner);
}

}  // namespace

Privacy::Privacy(const Settings& settings, Entropy& entropy) noexcept
    : settings_(settings), entropy_(entropy), most_(0) {
  if (check() == Status::ok) {
    const double mu = accountant::most_mu(settings.epsilon, settings.delta);
    most_ = mu * mu;
  }
  paid_ = settings.ahead == 0 ? most_ : 0;
}

Status Privacy::check() const noexcept {
  const float deviation = settings_.clip * settings_.noise;
  const bool sound = settings_.clip > 0 && settings_.noise > 0 && deviation >= 1e-30F && deviation <= 1e30F &&
                     settings_.epsilon > 0 && settings_.epsilon <= 1e9 && settings_.delta > 0 &&
                     settings_.delta < 1;
  return sound ? Status::ok : Status::invalid_rate;
}

double Privacy::epsilon() const noexcept {
  return accountant::epsilon_at(std::sqrt(spent_), settings_.delta);
}

double Privacy::left() const noexcept {
  return std::max(0.0, most_ - spent_) / cost(1, 1);
}

bool Privacy::wants_save() const noexcept {
  return !closed_ && paid_ < most_ && paid_ - spent_ <= cost(settings_.ahead, 2);
}

// mu^2 of a block: two updates are at most 2 C_b apart.
double Privacy::cost(std::size_t length, std::size_t parameters) const noexcept {
  const double noise = static_cast<double>(settings_.noise);
  return 4 / (noise * noise) * static_cast<double>(length) / static_cast<double>(parameters);
}

bool Privacy::affords(double cost) const noexcept {
  constexpr double kRounding = 1e-12;  // of sums: a budget for so many releases is one for so many
  return !closed_ && spent_ + cost <= paid_ * (1 + kRounding);
}

Status Privacy::release(Params model, Params shown, std::size_t parameters) noexcept {
  const double price = cost(model.size(), parameters);
  if (!affords(price)) return Status::budget_spent;
  spent_ += price;
  const double share = std::sqrt(static_cast<double>(model.size()) / static_cast<double>(parameters));
  const double scale = factor(model, shown, static_cast<double>(settings_.clip) * share);
  const double deviation = static_cast<double>(settings_.clip) * static_cast<double>(settings_.noise);
  const double step = lattice_step(deviation);
  for (std::size_t begin = 0; begin < model.size(); begin += kPiece) {
    Normals normals;
    if (const Status status = draw(entropy_, normals); status != Status::ok) return status;
    const std::size_t end = std::min(begin + kPiece, model.size());
    for (std::size_t k = begin; k < end; ++k) {
      const double before = static_cast<double>(shown[k]);
      const double update = scale == 0 ? 0 : scale * (static_cast<double>(model[k]) - before);
      const double after = before + update + deviation * normals[k - begin];
      constexpr double kMost = std::numeric_limits<float>::max();
      model[k] = shown[k] =
          static_cast<float>(std::clamp(step * std::nearbyint(after / step), -kMost, kMost));
    }
  }
  return Status::ok;
}

// What a restart leaves in the model has not left either.
void Privacy::begin(const Model& model, Params shown) noexcept {
  std::ranges::copy(model.floats(), shown.begin());
  model_ = model;
  shown_ = Model(shown, model.layout());
  unreleased_ = model.size();
}

bool Privacy::admits_exchange() noexcept {
  const bool admitted = !closed_ && (unreleased_ == 0 || affords(cost(1, 1)));
  if (!admitted) ++withheld_;
  return admitted;
}

void Privacy::begin_exchange() noexcept {
  if (unreleased_ != 0) unreleased_ = model_.size();
}

void Privacy::show(std::size_t offset, std::size_t length) noexcept {
  if (unreleased_ == 0) return;
  const auto block = [=](const Model& model) { return model.floats().subspan(offset, length); };
  if (release(block(model_), block(shown_), model_.size()) != Status::ok) {
    ++withheld_;
    return;
  }
  unreleased_ -= length;
  ++releases_;
}

float Privacy::spread() const noexcept {
  return settings_.clip *
         std::sqrt(settings_.noise * settings_.noise + 1 / static_cast<float>(model_.size()));
}

double Privacy::reserve() noexcept {
  const double ahead = closed_ ? 0 : cost(settings_.ahead, 1);
  pending_ = std::max(spent_, std::min(most_, spent_ + ahead));
  return pending_;
}

void Privacy::reserved() noexcept {
  if (settings_.ahead != 0) paid_ = pending_;
}

void Privacy::resume(double reserved) noexcept {
  if (!(reserved >= 0) || !std::isfinite(reserved)) return close();
  spent_ = std::max(spent_, reserved);
  if (settings_.ahead != 0) paid_ = spent_;
}

}  // namespace popsgd
