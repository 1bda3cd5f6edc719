#include "learning.h"

#include <popsgd/sim/data_source.h>
#include <popsgd/sim/problem.h>

#include <cstdio>

#include <CLI/CLI.hpp>

namespace popsgd::command {

void declare_learning(CLI::App& app, SimulateOptions& o) {
  app.add_option("--data", o.data, "What to learn: a name or a path [fashion-mnist, else blobs]")
      ->type_name("DATA");
  app.add_option("--model", o.model, "linear, logistic, softmax, mlp:64, mlp:128,64 [suits the data]")
      ->type_name("MODEL");
  app.add_option("--batch", o.batch, "Samples a gradient")->capture_default_str();
  app.add_option("--lr", o.lr, "Step size")->capture_default_str();
  app.add_option("--schedule", o.schedule, "How the step size falls with the number of steps")
      ->capture_default_str();
  app.add_option("--clock", o.clock, "Whose steps the schedule counts: gossip (averaged at meetings) or own")
      ->capture_default_str();
  app.add_option("--weight-decay", o.weight_decay, "L2 penalty")->capture_default_str();
  app.add_option("--momentum", o.momentum, "Heavy-ball momentum of every agent")->capture_default_str();
  app.add_option("--seed", o.seed, "Where models begin, and which rows go to whom, follow from it")
      ->capture_default_str();
}

void declare_privacy(CLI::App& app, PrivacyOptions& o) {
  app.add_option("--privacy-noise", o.noise,
                 "Noise on every parameter that leaves, in units of --privacy-clip; 0: no privacy")
      ->capture_default_str();
  app.add_option("--privacy-clip", o.clip, "Longest local update, as a norm, that leaves at a time")
      ->capture_default_str();
  app.add_option("--privacy-epsilon", o.epsilon, "Budget: nothing leaves that would exceed it")
      ->capture_default_str();
  app.add_option("--privacy-delta", o.delta, "Probability of which the budget says nothing")
      ->capture_default_str();
}

std::string data_or_default(const std::string& data) {
  if (!data.empty()) return data;
  if (sim::fashion_mnist_available()) return "fashion-mnist";
  std::fputs("popsgd: Fashion-MNIST is not installed; learning the built-in set 'blobs' instead\n", stderr);
  return "blobs";
}

std::string model_or_default(const SimulateOptions& options, const std::string& data) {
  return options.model.empty() && data == "fashion-mnist" ? "mlp:64" : options.model;
}

// Sets drawn from a formula mean the same distribution for everyone; a real set is dealt out.
std::string shards_or_default(const SimulateOptions& options, const sim::Problem& problem) {
  if (!options.shards.empty()) return options.shards;
  const bool enough = problem.train().rows >= static_cast<std::size_t>(options.agents);
  return problem.classifies() && enough ? "iid" : "shared";
}

}  // namespace popsgd::command
