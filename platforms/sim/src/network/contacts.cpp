#include "network/contacts.h"

#include "draws.h"
#include "network/mobility.h"
#include "network/streams.h"
#include "topology/cell_grid.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

namespace popsgd::sim {
namespace {

constexpr std::uint64_t kClosed = std::numeric_limits<std::uint64_t>::max();
constexpr double kSecond = 1e6;

std::uint64_t microseconds(double seconds) {
  return static_cast<std::uint64_t>(std::llround(seconds * kSecond));
}

std::uint64_t quiet(double seconds) {
  constexpr double kLongest = 1e6;
  return microseconds(std::min(seconds, kLongest));
}

Edge edge(std::uint32_t a, std::uint32_t b) {
  return {std::min(a, b), std::max(a, b)};
}

template <typename Visit>
void for_each_link(const Topology& topology, Visit visit) {
  for (const Edge link : topology.edge_list()) visit(link);
  if (!topology.complete()) return;
  for (std::uint32_t a = 0; a < topology.agents(); ++a)
    for (std::uint32_t b = a + 1; b < topology.agents(); ++b) visit(Edge{a, b});
}

// All links between groups close together, and open together.
class Partition final : public Contacts {
 public:
  Partition(const SplitContacts& settings, const Topology& topology, std::uint64_t seed)
      : Contacts(topology, true),
        settings_(settings),
        random_(seed, Purpose::network, kContactsStream),
        group_(topology.agents()) {
    if (settings.parts > topology.agents()) {
      throw Error("--contacts split: parts=" + std::to_string(settings.parts) + " is more than the " +
                  std::to_string(topology.agents()) + " agents");
    }
    first_change_at(microseconds(settings.every_s));
  }

  [[nodiscard]] std::uint64_t longest_quiet() const override { return quiet(settings_.lasting_s); }

 private:
  std::uint64_t change(std::uint64_t now) override {
    apart_ = !apart_;
    if (apart_) draw_groups();
    for_each_link(topology(), [this](Edge link) {
      if (group_[link.a] != group_[link.b]) set(link, !apart_);
    });
    const std::uint64_t lasting = microseconds(settings_.lasting_s);
    return now + (apart_ ? lasting : microseconds(settings_.every_s) - lasting);
  }

  // As equal in size as can be.
  void draw_groups() {
    const std::vector<std::uint32_t> order = permutation(topology().agents(), random_);
    for (std::uint32_t k = 0; k < order.size(); ++k) group_[order[k]] = k % settings_.parts;
  }

  const SplitContacts settings_;
  Random random_;
  std::vector<std::uint32_t> group_;
  bool apart_ = false;
};

// Every link for itself. Together they are a Markov chain of which only the number of open links matters: the time to
// the next change is exponential, and any of the open or of the closed links is as likely to be the one (Gillespie,
// 1977).
class OnOff final : public Contacts {
 public:
  OnOff(const OnOffContacts& settings, const Topology& topology, std::uint64_t seed)
      : Contacts(topology, false), settings_(settings), random_(seed, Purpose::network, kContactsStream) {
    links_.reserve(static_cast<std::size_t>(topology.edges()));
    for_each_link(topology, [this](Edge link) { links_.push_back(link); });
    const double share = settings.up_s / (settings.up_s + settings.down_s);
    for (std::size_t k = 0; k < links_.size(); ++k)
      if (uniform_double(random_) < share) flip(k);
    first_change_at(draw_next());
  }

  [[nodiscard]] std::uint64_t longest_quiet() const override { return quiet(20 * settings_.down_s); }

 private:
  [[nodiscard]] double closings() const { return static_cast<double>(open_) / settings_.up_s; }
  [[nodiscard]] double openings() const {
    return static_cast<double>(links_.size() - open_) / settings_.down_s;
  }

  std::uint64_t draw_next() {
    clock_ += -std::log(1 - uniform_double(random_)) / (closings() + openings()) * kSecond;
    return static_cast<std::uint64_t>(clock_);
  }

  std::uint64_t change(std::uint64_t) override {
    const auto open = static_cast<std::uint32_t>(open_);
    const auto closed = static_cast<std::uint32_t>(links_.size() - open_);
    const bool closes = uniform_double(random_) * (closings() + openings()) < closings();
    flip(closes ? random_.below(open) : open + random_.below(closed));
    return draw_next();
  }

  void flip(std::size_t k) {
    const bool opens = k >= open_;
    set(links_[k], opens);
    std::swap(links_[k], links_[opens ? open_++ : --open_]);
  }

  const OnOffContacts settings_;
  Random random_;
  std::vector<Edge> links_{};  // first those that are open
  std::size_t open_ = 0;
  double clock_ = 0;  // microseconds, with their fractions
};

// Those who walk past each other, looked at once a second.
class Mobile final : public Contacts {
 public:
  Mobile(const MobileContacts& settings, const Topology& topology, std::uint64_t seed)
      : Contacts(topology, false),
        settings_(settings),
        radius_(radius_on_torus(settings.degree, topology.agents() - 1)),
        walk_(topology.agents(), Random(seed, Purpose::network, kContactsStream)) {
    if (radius_ > 0.5) {
      throw Error("--contacts mobile: degree=" + std::to_string(settings.degree) + " is above " +
                  std::to_string(std::numbers::pi / 4 * (topology.agents() - 1)) + ", the most for " +
                  std::to_string(topology.agents()) + " agents");
    }
    near_ = in_reach();
    for (const Edge link : near_) set(link, true);
    first_change_at(microseconds(1));
  }

  // Two meet 8/pi radius speed times a second as their mean relative speed is 4/pi speed, and they are in reach of
  // each other a share pi radius^2 of the looks.
  [[nodiscard]] std::uint64_t longest_quiet() const override {
    const double passing = 8 / std::numbers::pi * radius_ * settings_.speed;
    return quiet(20 * (1 / passing + 1 / (std::numbers::pi * radius_ * radius_)));
  }

 private:
  std::uint64_t change(std::uint64_t now) override {
    walk_.advance(settings_.speed);
    std::vector<Edge> near = in_reach();
    std::vector<Edge> changed;
    std::set_difference(near_.begin(), near_.end(), near.begin(), near.end(), std::back_inserter(changed));
    for (const Edge link : changed) set(link, false);
    changed.clear();
    std::set_difference(near.begin(), near.end(), near_.begin(), near_.end(), std::back_inserter(changed));
    for (const Edge link : changed) set(link, true);
    near_ = std::move(near);
    return now + microseconds(1);
  }

  // The topology's links of those near each other, in order.
  [[nodiscard]] std::vector<Edge> in_reach() const {
    std::vector<Edge> near;
    CellGrid(walk_.positions(), radius_, Surface::torus)
        .for_each_pair([&](std::uint32_t a, std::uint32_t b, double) {
          if (joined({a, b})) near.push_back({a, b});
        });
    std::ranges::sort(near);
    return near;
  }

  const MobileContacts settings_;
  const double radius_;
  RandomWaypoint walk_;
  std::vector<Edge> near_{};
};

}  // namespace

Contacts::Contacts(const Topology& topology, bool open)
    : topology_(topology), since_(static_cast<std::size_t>(topology.edges()), open ? 0 : kClosed) {}

std::size_t Contacts::index(Edge link) const {
  if (topology_.complete()) {  // row by row of the triangle above the diagonal
    const std::size_t a = link.a;
    return a * (2 * std::size_t{topology_.agents()} - a - 1) / 2 + (link.b - link.a - 1);
  }
  const auto links = topology_.edge_list();
  const auto place = std::ranges::lower_bound(links, link);
  if (place == links.end() || *place != link) return links.size();
  return static_cast<std::size_t>(place - links.begin());
}

bool Contacts::open(std::uint32_t a, std::uint32_t b) const {
  return unbroken(a, b, kClosed - 1);
}

bool Contacts::unbroken(std::uint32_t a, std::uint32_t b, std::uint64_t sent) const {
  const std::size_t place = index(edge(a, b));
  return place < since_.size() && since_[place] <= sent;
}

void Contacts::set(Edge link, bool opens) {
  since_[index(link)] = opens ? now_ : kClosed;
  changes_.push_back({link, opens});
}

std::span<const ContactChange> Contacts::advance() {
  changes_.clear();  // what was set at the beginning, too
  now_ = next_;
  next_ = change(now_);
  return changes_;
}

std::unique_ptr<Contacts> make_contacts(const ContactSettings& settings, const Topology& topology,
                                        std::uint64_t seed) {
  if (const auto* split = std::get_if<SplitContacts>(&settings))
    return std::make_unique<Partition>(*split, topology, seed);
  if (const auto* on_off = std::get_if<OnOffContacts>(&settings))
    return std::make_unique<OnOff>(*on_off, topology, seed);
  if (const auto* mobile = std::get_if<MobileContacts>(&settings))
    return std::make_unique<Mobile>(*mobile, topology, seed);
  return nullptr;
}

}  // namespace popsgd::sim
