// From words on the command line to settings.
#include "simulate.h"

#include <popsgd/sim/error.h>
#include <popsgd/sim/speeds.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace popsgd::command {
namespace {

using sim::Error;

// "name" or "name:argument".
struct Word {
  std::string_view name;
  std::string_view argument;
  bool has_argument;
};

Word split(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {text, {}, false};
  return {text.substr(0, colon), text.substr(colon + 1), true};
}

template <std::size_t N>
std::size_t choose(std::string_view flag, std::string_view word,
                   const std::array<std::string_view, N>& names) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  throw Error(std::string(flag) + " " + std::string(word) + " is not known" + sim::suggest(word, names) +
              "; choose from " + list);
}

void piecewise(std::string_view text, Schedule& schedule) {
  constexpr std::string_view kRight =
      "--schedule piecewise wants STEPS=FACTOR[,STEPS=FACTOR...], e.g. piecewise:2000=0.1";
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) throw Error(std::string(kRight));
    if (schedule.breakpoint_count == Schedule::kMaxBreakpoints) {
      throw Error("--schedule piecewise takes at most " + std::to_string(Schedule::kMaxBreakpoints) +
                  " breakpoints");
    }
    schedule.breakpoints[schedule.breakpoint_count++] = {
        sim::parse_real(part.substr(0, equals), "the steps of --schedule piecewise"),
        static_cast<float>(sim::parse_real(part.substr(equals + 1), "the factor of --schedule piecewise"))};
    text = comma < text.size() ? text.substr(comma + 1) : std::string_view{};
  }
  if (schedule.breakpoint_count == 0) throw Error(std::string(kRight));
}

Schedule schedule_from(const SimulateOptions& options) {
  constexpr std::array<std::string_view, 4> kShapes{"constant", "inverse", "inverse-sqrt", "piecewise"};
  const auto [name, argument, has_argument] = split(options.schedule);
  Schedule schedule;
  schedule.shape = static_cast<Schedule::Shape>(choose("--schedule", name, kShapes));
  schedule.eta = static_cast<float>(options.lr);
  if (schedule.shape == Schedule::Shape::piecewise) {
    piecewise(argument, schedule);
  } else if (schedule.shape == Schedule::Shape::constant) {
    if (has_argument) throw Error("--schedule constant takes no parameter; --lr is the step size");
  } else {
    schedule.horizon = has_argument ? sim::parse_real(argument, "the horizon of --schedule") : 100;
    if (!(schedule.horizon > 0))
      throw Error("--schedule " + options.schedule + ": the horizon is a number of steps above 0");
  }
  if (schedule.check() != Status::ok) {
    throw Error("--schedule " + options.schedule +
                ": steps must ascend and factors be finite and at least 0");
  }
  return schedule;
}

sim::LocalSteps local_steps_from(const std::string& text) {
  const auto [name, argument, has_argument] = split(text);
  const bool geometric = name == "geometric";
  if (has_argument && !geometric) {
    throw Error("--local-steps " + text + ": use a number, or geometric:MEAN");
  }
  const long long steps = sim::parse_integer(geometric ? argument : name, "--local-steps");
  if (steps < 1 || steps > 1000) throw Error("--local-steps is from 1 to 1000, not " + std::to_string(steps));
  return {static_cast<std::uint32_t>(steps), geometric};
}

std::int64_t within(std::string_view flag, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return value;
  throw Error(std::string(flag) + " is from " + std::to_string(low) + " to " + std::to_string(high) +
              ", not " + std::to_string(value));
}

void check_rate(std::string_view flag, double value, double limit, std::string_view range) {
  if (std::isfinite(value) && value >= 0 && value < limit) return;
  throw Error(std::string(flag) + " is " + std::string(range) + ", not " + std::to_string(value));
}

}  // namespace

sim::Settings settings_from(const SimulateOptions& options) {
  constexpr std::array<std::string_view, 2> kClocks{"gossip", "own"};
  constexpr std::array<std::string_view, 2> kMerges{"average", "delta"};
  sim::Settings settings;
  settings.agents = static_cast<std::uint32_t>(within("--agents", options.agents, 2, 10'000'000));
  settings.batch = static_cast<std::size_t>(within("--batch", options.batch, 1, 10'000));
  settings.seed = static_cast<std::uint64_t>(within("--seed", options.seed, 0, INT64_MAX));
  within("--interactions", options.interactions, 1, std::int64_t{1} << 40);
  within("--threads", options.threads, 0, 1024);
  within("--eval-every", options.eval_every, 0, INT64_MAX);
  check_rate("--lr", options.lr, 1000, "a step size of at least 0 and below 1000");
  check_rate("--weight-decay", options.weight_decay, 1000, "at least 0 and below 1000");
  check_rate("--momentum", options.momentum, 1, "at least 0 and below 1");
  settings.sgd = {static_cast<float>(options.weight_decay), static_cast<float>(options.momentum)};
  settings.schedule = schedule_from(options);
  check_rate("--settle", options.settle, 1000, "a step size of at least 0 and below 1000");
  settings.schedule.settle = static_cast<float>(options.settle);
  settings.clock = static_cast<sim::Clock>(choose("--clock", options.clock, kClocks));
  settings.merge = static_cast<sim::Merge>(choose("--merge", options.merge, kMerges));
  settings.local_steps = local_steps_from(options.local_steps);
  if (!options.quantise.empty()) settings.encoding = sim::parse_encoding(options.quantise);
  settings.numerics = sim::parse_numeric(options.numeric, settings.agents);
  if (options.speeds != "equal")
    settings.speeds = sim::make_speeds(options.speeds, settings.agents, settings.seed);
  return settings;
}

std::optional<Privacy::Settings> privacy_from(const PrivacyOptions& options) {
  const PrivacyOptions defaults;
  const bool others =
      options.clip != defaults.clip || options.epsilon != defaults.epsilon || options.delta != defaults.delta;
  if (options.noise == 0 && !others) return {};
  if (!(options.noise > 0 && options.noise <= 1e9))
    throw Error("--privacy-noise is above 0 and at most 1e9, in units of --privacy-clip, not " +
                std::to_string(options.noise));
  if (!(options.clip > 0 && options.clip <= 1e9))
    throw Error("--privacy-clip is above 0 and at most 1e9, not " + std::to_string(options.clip));
  if (!(options.epsilon > 0 && options.epsilon <= 1e9))
    throw Error("--privacy-epsilon is above 0 and at most 1e9, not " + std::to_string(options.epsilon));
  if (!(options.delta > 0 && options.delta < 1))
    throw Error("--privacy-delta is above 0 and below 1, not " + std::to_string(options.delta));
  const Privacy::Settings settings{.clip = static_cast<float>(options.clip),
                                   .noise = static_cast<float>(options.noise),
                                   .epsilon = options.epsilon,
                                   .delta = options.delta};
  if (accountant::most_releases(options.epsilon, options.delta, options.noise) > 0) return settings;
  throw Error("--privacy-epsilon " + std::to_string(options.epsilon) +
              " is spent before the first release; it takes more --privacy-noise than " +
              std::to_string(options.noise));
}

std::optional<sim::NetworkSettings> network_from(const SimulateOptions& options) {
  constexpr std::array<std::string_view, 2> kEngines{"population", "network"};
  if (choose("--engine", options.engine, kEngines) == 0) {
    const SimulateOptions defaults;
    if (!options.link.empty()) throw Error("--link is for --engine network");
    if (options.contacts != defaults.contacts) throw Error("--contacts is for --engine network");
    if (!options.crash.empty()) throw Error("--crash is for --engine network");
    if (options.block_length != 0) throw Error("--block-length is for --engine network");
    if (!options.byzantine.empty()) throw Error("--byzantine is for --engine network");
    if (options.mean_wait != defaults.mean_wait) throw Error("--mean-wait is for --engine network");
    if (privacy_from(options.privacy)) throw Error("--privacy-noise is for --engine network");
    if (options.no_gate) throw Error("--no-gate is for --engine network");
    if (options.check_invariants) throw Error("--check-invariants is for --engine network");
    return {};
  }
  return sim::NetworkSettings{
      .link = sim::parse_links(options.link),
      .contacts = sim::parse_contacts(options.contacts),
      .byzantine = sim::parse_byzantine(options.byzantine),
      .crash = sim::parse_crashes(options.crash),
      .mean_wait_ms = static_cast<std::uint32_t>(within("--mean-wait", options.mean_wait, 1, 2'700'000)),
      .block_length =
          static_cast<std::uint32_t>(within("--block-length", options.block_length, 0, UINT32_MAX)),
      .privacy = privacy_from(options.privacy),
      .gate = !options.no_gate,
      .check_invariants = options.check_invariants};
}

}  // namespace popsgd::command
