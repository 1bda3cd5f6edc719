// Links that open and close: the processes against their formulas, and a swarm that lives with them.
#include "network/contacts.h"

#include "network.h"
#include "network/mobility.h"
#include "network/streams.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace popsgd;
using popsgd::test::VirtualNetwork;
using sim::ContactChange;
using sim::Contacts;
using sim::ContactSettings;
using sim::Edge;
using sim::make_contacts;
using sim::MobileContacts;
using sim::NetworkTotals;
using sim::OnOffContacts;
using sim::parse_contacts;
using sim::Settings;
using sim::SplitContacts;
using sim::Topology;

constexpr double kSecond = 1e6;      // microseconds
constexpr double kDeviations = 4.9;  // of a normal variable: exceeded once in a million times

const sim::Problem& noise() {
  static const sim::Problem kProblem(sim::DataSpec::parse("noise:d=200,noise=1,samples=1000"), "", 1);
  return kProblem;
}

// Local steps end after `steps` of each agent; what follows moves the models by averaging alone.
Settings that_learn_for(double steps, std::uint32_t n, std::uint64_t seed) {
  Settings settings{.schedule = {.eta = 0.125F}, .agents = n, .batch = 1, .seed = seed};
  settings.clock = sim::Clock::own;
  settings.schedule.shape = Schedule::Shape::piecewise;
  settings.schedule.breakpoints[0] = {steps, 0};
  settings.schedule.breakpoint_count = 1;
  return settings;
}

std::set<Edge> open_links(const Contacts& contacts, std::uint32_t n) {
  std::set<Edge> open;
  for (std::uint32_t a = 0; a < n; ++a)
    for (std::uint32_t b = a + 1; b < n; ++b)
      if (contacts.open(a, b)) open.insert({a, b});
  return open;
}

std::set<Edge> links_of(const Topology& topology) {
  std::set<Edge> links;
  for (std::uint32_t a = 0; a < topology.agents(); ++a)
    for (std::uint32_t b = a + 1; b < topology.agents(); ++b)
      if (topology.complete() || std::ranges::binary_search(topology.edge_list(), Edge{a, b}))
        links.insert({a, b});
  return links;
}

TEST_CASE("what is said to change is what changes, on links of the topology and never back in time") {
  for (const std::string topology_name : {"complete", "ring", "regular:4"}) {
    for (const std::string spec :
         {"split:parts=3,every=5,lasting=2", "on-off:up=20,down=10", "mobile:degree=5,speed=0.1"}) {
      CAPTURE(topology_name);
      CAPTURE(spec);
      const Topology topology = Topology::make(topology_name, 18, 7);
      const std::set<Edge> links = links_of(topology);
      const auto contacts = make_contacts(parse_contacts(spec), topology, 7);
      std::set<Edge> open = open_links(*contacts, 18);
      std::uint64_t now = 0;
      for (int k = 0; k < 100; ++k) {
        REQUIRE(contacts->next() >= now);
        now = contacts->next();
        for (const ContactChange& change : contacts->advance())
          REQUIRE((change.opens ? open.insert(change.link).second : open.erase(change.link) == 1));
        REQUIRE(open == open_links(*contacts, 18));
        REQUIRE(std::ranges::includes(links, open));
      }
      CHECK(contacts->open(3, 4) == contacts->open(4, 3));
    }
  }
}

TEST_CASE("the same seed opens the same links at the same times, another seed others") {
  const Topology topology = Topology::make("complete", 12, 1);
  for (const std::string spec : {"split", "on-off", "mobile"}) {
    CAPTURE(spec);
    const auto story = [&](std::uint64_t seed) {
      const auto contacts = make_contacts(parse_contacts(spec), topology, seed);
      std::vector<std::pair<std::uint64_t, std::set<Edge>>> told;
      for (int k = 0; k < 50; ++k) {
        told.emplace_back(contacts->next(), open_links(*contacts, 12));
        contacts->advance();
      }
      return told;
    };
    CHECK(story(1) == story(1));
    CHECK(story(1) != story(2));
  }
  CHECK(make_contacts(parse_contacts("always"), topology, 1) == nullptr);
}

TEST_CASE("a split makes groups of equal size that hear only themselves, and heals") {
  const std::uint32_t n = 12;
  const Topology topology = Topology::make("complete", n, 1);
  const auto contacts = make_contacts(SplitContacts{.parts = 3, .every_s = 60, .lasting_s = 20}, topology, 5);
  std::set<std::set<Edge>> partitions;
  for (std::uint64_t k = 1; k <= 10; ++k) {
    CHECK(open_links(*contacts, n).size() == n * (n - 1) / 2);
    CHECK(contacts->next() == k * 60'000'000);
    contacts->advance();
    const std::set<Edge> open = open_links(*contacts, n);
    partitions.insert(open);
    CHECK(open.size() == 3 * 6);  // three groups of four
    for (const Edge ab : open)
      for (const Edge bc : open)
        if (ab.b == bc.a) CHECK(open.contains({ab.a, bc.b}));
    CHECK(contacts->next() == k * 60'000'000 + 20'000'000);
    contacts->advance();
  }
  CHECK(partitions.size() == 10);  // of 5775
}

TEST_CASE(
    "on-off links begin and stay open a share up / (up + down) of the time (fails once in 500,000 seeds)") {
  const std::uint32_t n = 90;
  const double links = n * (n - 1) / 2.0;
  const Topology topology = Topology::make("complete", n, 1);
  const auto contacts = make_contacts(OnOffContacts{.up_s = 30, .down_s = 10}, topology, 3);
  const double deviation = std::sqrt(0.75 * 0.25 / links);
  const auto share = [&] { return static_cast<double>(open_links(*contacts, n).size()) / links; };
  CHECK(std::fabs(share() - 0.75) < kDeviations * deviation);
  while (static_cast<double>(contacts->next()) < 100 * kSecond) contacts->advance();
  CHECK(std::fabs(share() - 0.75) < kDeviations * deviation);
}

TEST_CASE(
    "a link's times open and closed are exponential with the means asked for (fails once in 200,000 seeds)") {
  const Topology pair = Topology::make("complete", 2, 1);
  const auto contacts = make_contacts(OnOffContacts{.up_s = 30, .down_s = 7}, pair, 11);
  const int count = 4000;
  std::vector<double> up;
  std::vector<double> down;
  contacts->advance();
  while (std::ssize(up) < count || std::ssize(down) < count) {
    const bool open = contacts->open(0, 1);
    const std::uint64_t from = contacts->next();
    contacts->advance();
    REQUIRE(contacts->open(0, 1) != open);
    (open ? down : up).push_back(static_cast<double>(contacts->next() - from) / kSecond);
  }
  const auto exponential = [](const std::vector<double>& lengths, double mean) {
    const double all = static_cast<double>(lengths.size());
    const double measured = std::accumulate(lengths.begin(), lengths.end(), 0.0) / all;
    CHECK(std::fabs(measured - mean) < kDeviations * mean / std::sqrt(all));
    const auto longer =
        static_cast<double>(std::ranges::count_if(lengths, [mean](double length) { return length > mean; }));
    const double share = std::exp(-1.0);
    CHECK(std::fabs(longer - share * all) < kDeviations * std::sqrt(share * (1 - share) * all));
  };
  exponential(up, 30);
  exponential(down, 7);
}

TEST_CASE("among many links each opens and closes at its own rate (fails once in 500,000 seeds)") {
  const std::uint32_t n = 20;
  const Topology topology = Topology::make("regular:6", n, 2);  // 60 links
  const auto contacts = make_contacts(OnOffContacts{.up_s = 30, .down_s = 10}, topology, 4);
  double open = static_cast<double>(open_links(*contacts, n).size());
  double time_open = 0;
  double time_closed = 0;
  double opened = 0;
  double closed = 0;
  std::uint64_t now = 0;
  while (static_cast<double>(now) < 10'000 * kSecond) {
    const double passed = static_cast<double>(contacts->next() - now) / kSecond;
    time_open += open * passed;
    time_closed += (60 - open) * passed;
    now = contacts->next();
    const auto changes = contacts->advance();
    REQUIRE(changes.size() == 1);
    changes[0].opens ? ++opened : ++closed;
    open += changes[0].opens ? 1 : -1;
  }
  // Poisson variables, given the times
  CHECK(std::fabs(closed - time_open / 30) < kDeviations * std::sqrt(time_open / 30));
  CHECK(std::fabs(opened - time_closed / 10) < kDeviations * std::sqrt(time_closed / 10));
}

TEST_CASE(
    "walkers have the mean number of others in reach asked for, at all times (fails once in 300,000 seeds)") {
  const std::uint32_t n = 400;
  const double pairs = n * (n - 1) / 2.0;
  const Topology topology = Topology::make("complete", n, 1);
  const int repeats = 30;
  double sums[3]{};
  for (std::uint64_t seed = 1; seed <= repeats; ++seed) {
    const auto contacts = make_contacts(MobileContacts{.degree = 6, .speed = 0.03}, topology, seed);
    for (double& sum : sums) {
      sum += static_cast<double>(open_links(*contacts, n).size());
      for (int second = 0; second < 40; ++second) contacts->advance();
    }
  }
  // Any two pairs of walkers are independent, whether or not they share one.
  const double chance = 6.0 / (n - 1);
  const double deviation = std::sqrt(pairs * chance * (1 - chance) / repeats);
  for (const double sum : sums) CHECK(std::fabs(sum / repeats - pairs * chance) < kDeviations * deviation);
}

TEST_CASE("walkers go as far as they should, turning only at their way points") {
  sim::RandomWaypoint walk(200, Random(3, Purpose::user));
  int straight = 0;
  for (int second = 0; second < 100; ++second) {
    const std::vector<sim::Point> before(walk.positions().begin(), walk.positions().end());
    walk.advance(0.01);
    for (std::size_t k = 0; k < before.size(); ++k) {
      const sim::Point now = walk.positions()[k];
      REQUIRE(std::min({now.x, now.y}) >= 0);
      REQUIRE(std::max({now.x, now.y}) < 1);
      const double gone = std::sqrt(squared_distance(before[k], now, sim::Surface::torus));
      REQUIRE(gone < 0.01 + 1e-12);
      if (gone > 0.01 - 1e-9) ++straight;
    }
  }
  // A leg is 0.3826 long on average: the mean distance to a uniform point of the square around.
  const double turning = 0.01 / 0.3826;
  CHECK(straight > 20'000 * (1 - 1.2 * turning));
  CHECK(straight < 20'000 * (1 - 0.8 * turning));
}

// On the torus the nearest of a point's nine images counts.
std::vector<Edge> near_by_brute_force(std::span<const sim::Point> points, double radius,
                                      sim::Surface surface) {
  const int images = surface == sim::Surface::torus ? 1 : 0;
  std::vector<Edge> near;
  for (std::uint32_t i = 0; i < points.size(); ++i) {
    for (std::uint32_t j = i + 1; j < points.size(); ++j) {
      double least = 8;
      for (int x = -images; x <= images; ++x)
        for (int y = -images; y <= images; ++y)
          least = std::min(least, std::hypot(points[i].x - points[j].x + x, points[i].y - points[j].y + y));
      if (least <= radius) near.push_back({i, j});
    }
  }
  return near;
}

TEST_CASE("neighbours by the grid of cells are those by brute force, on the square and on the torus") {
  Random random(9, Purpose::user);
  for (const sim::Surface surface : {sim::Surface::square, sim::Surface::torus}) {
    for (const std::size_t count : {2U, 3U, 10U, 300U}) {
      for (const double radius : {0.01, 0.1, 0.24, 0.3, 0.34, 0.4, 0.5}) {
        CAPTURE(count);
        CAPTURE(radius);
        std::vector<sim::Point> points(count);
        for (sim::Point& point : points) {
          point.x = static_cast<double>(random.uniform());
          point.y = static_cast<double>(random.uniform());
        }
        std::vector<Edge> found;
        sim::CellGrid(points, radius, surface).for_each_pair([&](std::uint32_t i, std::uint32_t j, double) {
          found.push_back({i, j});
        });
        std::ranges::sort(found);
        CHECK(found == near_by_brute_force(points, radius, surface));
      }
    }
  }
}

TEST_CASE("the topology's links of walkers in reach are open, by brute force") {
  const std::uint32_t n = 60;
  const double radius = std::sqrt(7 / (std::numbers::pi * (n - 1)));
  for (const std::string topology_name : {"complete", "regular:8"}) {
    CAPTURE(topology_name);
    const Topology topology = Topology::make(topology_name, n, 6);
    const std::set<Edge> links = links_of(topology);
    const auto contacts = make_contacts(MobileContacts{.degree = 7, .speed = 0.05}, topology, 6);
    sim::RandomWaypoint walk(n, Random(6, Purpose::network, sim::kContactsStream));
    for (int second = 1; second <= 50; ++second) {
      std::set<Edge> expected;
      for (const Edge near : near_by_brute_force(walk.positions(), radius, sim::Surface::torus))
        if (links.contains(near)) expected.insert(near);
      REQUIRE(open_links(*contacts, n) == expected);
      REQUIRE(contacts->next() == static_cast<std::uint64_t>(second) * 1'000'000);
      contacts->advance();
      walk.advance(0.05);
    }
  }
}

TEST_CASE("what was under way when a link closed does not arrive, not even when it is open again") {
  const Topology pair = Topology::make("complete", 2, 1);
  const auto contacts = make_contacts(SplitContacts{.parts = 2, .every_s = 3, .lasting_s = 1}, pair, 1);
  CHECK(contacts->unbroken(0, 1, 0));
  contacts->advance();
  CHECK_FALSE(contacts->unbroken(0, 1, 2'999'999));
  CHECK_FALSE(contacts->unbroken(1, 0, 3'500'000));
  contacts->advance();  // at 4 s
  CHECK_FALSE(contacts->unbroken(0, 1, 2'999'999));
  CHECK(contacts->unbroken(1, 0, 4'000'000));
  contacts->advance();
  CHECK_FALSE(contacts->unbroken(1, 0, 4'000'000));
}

TEST_CASE("with all links closed no frame is delivered, and time goes on until they open") {
  VirtualNetwork net(
      noise(), that_learn_for(10, 4, 1),
      {.contacts = SplitContacts{.parts = 4, .every_s = 1000, .lasting_s = 900}, .check_invariants = true});
  net->run_for(1'000'100);
  const std::uint64_t delivered = net->totals().frames_delivered;
  CHECK(delivered > 0);
  net->run_for(899'800);
  CHECK(net->totals().frames_delivered == delivered);
  CHECK(net->totals().virtual_seconds == doctest::Approx(1899.9));
  const std::uint64_t completed = net->totals().completed;
  net->run_until(completed + 20);
  CHECK(net->totals().virtual_seconds > 1900);
  CHECK(net->totals().violations == 0);
}

// The mean of every parameter over those agents.
std::vector<double> mean_of(VirtualNetwork& net, const std::vector<std::uint32_t>& group) {
  std::vector<double> mean(net->model(0).size());
  for (const std::uint32_t agent : group)
    for (std::size_t k = 0; k < mean.size(); ++k)
      mean[k] += static_cast<double>(net->model(agent)[k]) / static_cast<double>(group.size());
  return mean;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
  return std::sqrt(sum);
}

// Goes on until nobody is in the middle of an exchange.
void settle(VirtualNetwork& net) {
  const auto open = [&net] {
    const NetworkTotals totals = net->totals();
    return totals.begun - totals.completed_sides - totals.cut_short;
  };
  for (int tries = 0; tries < 1000 && open() > 0; ++tries) net->run_for(7);
  REQUIRE(open() == 0);
}

TEST_CASE("in a split each group keeps a mean of its own; afterwards all come to one consensus") {
  const std::uint32_t n = 8;
  const SplitContacts split{.parts = 2, .every_s = 600, .lasting_s = 500};
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    const Topology topology = Topology::make("complete", n, seed);
    const auto contacts = make_contacts(split, topology, seed);
    contacts->advance();
    std::vector<std::uint32_t> groups[2];
    for (std::uint32_t k = 0; k < n; ++k) groups[k == 0 || contacts->open(0, k) ? 0 : 1].push_back(k);
    REQUIRE(groups[0].size() == 4);

    VirtualNetwork net(noise(), that_learn_for(250, n, seed),
                       {.contacts = split, .mean_wait_ms = 5000, .gate = false, .check_invariants = true});
    net->run_for(1'000'000);  // every agent has taken its steps, the last of them in the split
    settle(net);
    const std::vector<double> before[2]{mean_of(net, groups[0]), mean_of(net, groups[1])};
    const std::uint64_t one_sided = net->totals().one_sided;
    const std::uint64_t completed = net->totals().completed;
    net->run_for(50'000);
    settle(net);
    CHECK(net->totals().completed > completed + 20);
    CHECK(net->totals().one_sided == one_sided);
    const double apart = distance(before[0], before[1]);
    CHECK(apart > 0.1);
    CHECK(distance(mean_of(net, groups[0]), before[0]) < 1e-5);
    CHECK(distance(mean_of(net, groups[1]), before[1]) < 1e-5);

    net->run_for(145'000);  // some 90 seconds of them together
    CHECK(net.gamma() < 1e-6 * apart * apart);
    CHECK(net->totals().violations == 0);
  }
}

TEST_CASE("whatever opens and closes, no invariant is ever violated") {
  std::uint64_t exchanges = 0;
  std::uint64_t doubts = 0;
  const std::vector<std::string> specs{"split:parts=2,every=10,lasting=5", "on-off:up=3,down=3",
                                       "on-off:up=0.2,down=0.5", "mobile:degree=3,speed=0.1",
                                       "mobile:degree=1,speed=0.5"};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Settings settings = that_learn_for(1e6, 4 + static_cast<std::uint32_t>(seed % 7), seed);
    settings.merge = seed % 2 == 0 ? sim::Merge::average : sim::Merge::delta;
    VirtualNetwork net(noise(), settings,
                       {.link = {.loss = 0.05 * static_cast<double>(seed % 4),
                                 .delay_ms = 80,
                                 .jitter_ms = 60,
                                 .reliable = seed % 4 == 0},
                        .contacts = parse_contacts(specs[seed % specs.size()]),
                        .mean_wait_ms = 300,
                        .block_length = 60,
                        .gate = seed % 3 == 0,
                        .check_invariants = true},
                       seed % 3 == 1 ? "ring" : "complete");
    net->run_for(300'000);
    const NetworkTotals totals = net->totals();
    CAPTURE(totals.first_violation);
    CHECK(totals.violations == 0);
    CHECK(totals.begun - totals.completed_sides - totals.cut_short <= settings.agents);
    exchanges += totals.completed;
    doubts += totals.in_doubt;
  }
  MESSAGE(exchanges << " exchanges completed, " << doubts << " sides in doubt");
  CHECK(exchanges > 500);
}

TEST_CASE("a run with contacts is the same for the same seed, in however many pieces") {
  for (const std::string spec :
       {"split:every=5,lasting=2", "on-off:up=3,down=5", "mobile:degree=4,speed=0.05"}) {
    CAPTURE(spec);
    const sim::NetworkSettings network{.link = {.loss = 0.1}, .contacts = parse_contacts(spec)};
    const auto outcome = [&](std::uint64_t seed, std::uint64_t piece) {
      VirtualNetwork net(noise(), that_learn_for(1e6, 9, seed), network);
      for (std::uint64_t k = piece; k < 200; k += piece) net->run_until(k);
      net->run_until(200);
      return std::pair(net.models(), net->account().bytes);
    };
    CHECK(outcome(1, 200) == outcome(1, 7));
    CHECK(outcome(1, 200) != outcome(2, 200));
  }
}

TEST_CASE("contacts are read as they are written, and whatever is wrong is named with what is right") {
  CHECK(std::holds_alternative<sim::AlwaysOpen>(parse_contacts("always")));
  const auto split = std::get<SplitContacts>(parse_contacts("split:parts=3,every=7,lasting=2.5"));
  CHECK(split.parts == 3);
  CHECK(split.every_s == 7);
  CHECK(split.lasting_s == 2.5);
  const auto on_off = std::get<OnOffContacts>(parse_contacts("on-off:up=4,down=0.5"));
  CHECK(on_off.up_s == 4);
  CHECK(on_off.down_s == 0.5);
  const auto mobile = std::get<MobileContacts>(parse_contacts("mobile:degree=2.5,speed=0.125"));
  CHECK(mobile.degree == 2.5);
  CHECK(mobile.speed == 0.125);
  CHECK(std::get<MobileContacts>(parse_contacts("mobile")).degree == 4);

  const auto complaint = [](const std::string& text) -> std::string {
    try {
      const Topology topology = Topology::make("complete", 8, 1);
      static_cast<void>(make_contacts(parse_contacts(text), topology, 1));
    } catch (const sim::Error& error) {
      return error.what();
    }
    return {};
  };
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"", "always, split:parts=2"},
      {"never", "always, split:parts=2"},
      {"mobil", "did you mean 'mobile'"},
      {"always:up=1", "always, split:parts=2"},
      {"split:3", "split:parts=2"},
      {"split:part=3", "did you mean 'parts'"},
      {"split:parts=1", "from 2"},
      {"split:parts=9", "the 8 agents"},
      {"split:parts=2,parts=2", "twice"},
      {"split:every=0", "from 0.01"},
      {"split:every=20", "lasting must be below every, not 20 with every=20"},
      {"split:lasting=60", "lasting must be below every, not 60 with every=60"},
      {"on-off:up=0", "from 0.01"},
      {"on-off:down=nan", "from 0.01"},
      {"on-off:up=1e9", "to 1e+06"},
      {"on-off:speed=1", "its options are up, down"},
      {"mobile:degree=0", "from 0.001"},
      {"mobile:degree=6", "the most for 8 agents"},
      {"mobile:speed=2", "from 0 to 1"},
      {"mobile:speed=-1", "from 0 to 1"}};
  for (const auto& pair : wrong) {
    const std::string said = complaint(pair.first);
    CAPTURE(pair.first);
    CAPTURE(said);
    CHECK(said.find(pair.second) != std::string::npos);
  }
}

}  // namespace
