// Serves the live page of an agent that does not exist: an hour of a plausible run has passed, and a second more
// passes each second. It says where, and goes on until it is stopped.
//   popsgd_live_page_server [PORT [HOURS]]

#include "agent/endpoints.h"

#include <popsgd/asio/http_server.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>

using namespace popsgd;
using command::Sample;

namespace {

// A run that learns, among peers who come and go, with now and then an exchange that fails.
class Imagined {
 public:
  Sample next() {
    const double t = now_.seconds += 1;
    std::normal_distribution<double> noise;
    std::poisson_distribution<std::uint64_t> often(0.9), seldom(0.02);
    now_.steps += 43;
    now_.counter += 42.5 + noise(random_);
    now_.loss = 0.31 + 2 / (1 + t / 60) + 0.01 * noise(random_);
    if (t > 5) now_.accuracy = 0.88 - 0.7 / (1 + t / 40) + 0.002 * noise(random_);
    now_.peers_known = static_cast<std::size_t>(8 + std::lround(3 * std::sin(t / 600)));
    now_.links = now_.peers_known - (static_cast<unsigned>(t) / 200) % 3;
    now_.distance = 0.02 / std::sqrt(1 + t / 100) * std::exp(0.1 * noise(random_));
    AgentMetrics& metrics = now_.metrics;
    const std::uint64_t completed = often(random_);
    metrics.begun += completed;
    metrics.completed += completed;
    metrics.cut_short += seldom(random_);
    metrics.refused[static_cast<std::size_t>(Refusal::too_far)] += seldom(random_);
    metrics.refused[static_cast<std::size_t>(Refusal::checksum)] += t > 1200 ? seldom(random_) : 0;
    metrics.dropped[static_cast<std::size_t>(Drop::duplicate)] += seldom(random_);
    metrics.bytes_sent += 26400 * completed + 60;
    metrics.bytes_received += 27100 * completed + 75;
    return now_;
  }

 private:
  std::mt19937_64 random_{1};
  Sample now_;
};

command::Facts facts() {
  return {"7f3a-c2",
          "kitchen",
          "mlp:64",
          "fashion-mnist, shard 3 of 8",
          "float32",
          "0.1.0",
          {"192.0.2.17:7000", "[2001:db8::17]:7000"},
          50890,
          1790000000};
}

}  // namespace

int main(int argc, char** argv) try {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  const double hours = argc > 2 ? std::atof(argv[2]) : 1;
  Imagined agent;
  command::History history;
  for (int second = 0; second < 3600 * hours; ++second) history.add(agent.next());

  net::Loop loop;
  const command::Facts known = facts();
  const net::HttpServer server(loop, v4_address({127, 0, 0, 1}, port), [&](const net::HttpRequest& request) {
    return command::endpoint(request, history, known, history.last() ? history.last()->seconds : 0, 30);
  });
  net::Timer second(loop, [&] {
    history.add(agent.next());
    second.after(1000);
  });
  second.after(1000);
  loop.on_signals({SIGINT, SIGTERM}, [&](int) { loop.stop(); });
  std::printf("http://127.0.0.1:%u/\n", static_cast<unsigned>(server.address().port));
  std::fflush(stdout);
  loop.run();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "popsgd_live_page_server: %s\n", error.what());
  return 1;
}
