// popsgd agent: whole agents in one process, with all their threads, on the loopback interface.
#include "agent.h"
#include "device/file_store.h"
#include "scratch_directory.h"

#include <popsgd/inspect.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace popsgd;
using command::AgentOptions;
using popsgd::test::ScratchDirectory;

// One that nobody has at the moment.
std::string free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(probe);
  return std::to_string(ntohs(address.sin_port));
}

// What the newest checkpoint of an agent that has ended says.
checkpoint::AgentRecords newest(const std::filesystem::path& state) {
  device::FileStore store;
  REQUIRE(store.open_to_read(state) == Status::ok);
  checkpoint::Description best;
  for (const unsigned slot : {0U, 1U}) {
    if (!store.present(slot)) continue;
    const auto found = checkpoint::describe(store, slot);
    REQUIRE(found.ok());
    if (found->condition != checkpoint::Condition::entire) continue;
    if (best.condition != checkpoint::Condition::entire || newer(found.value(), best)) best = found.value();
  }
  REQUIRE(best.condition == checkpoint::Condition::entire);
  REQUIRE(best.agent);
  return *best.agent;
}

AgentOptions options_for(const std::string& transport, const std::filesystem::path& state) {
  AgentOptions options;
  options.learning.data = "blobs:samples=500";
  options.swarm = "test";
  options.transport = transport;
  options.no_discovery = true;
  options.state = state.string();
  options.every = 50;
  options.rate = 500;
  options.save_every = 0.5;
  options.eval_every = 0.2;
  options.report_every = 0.5;
  return options;
}

TEST_CASE("two agents meet, over TCP and over UDP, keep what they learn, and go on from there") {
  for (const std::string transport : {"tcp", "udp"}) {
    CAPTURE(transport);
    const ScratchDirectory directory;
    AgentOptions one = options_for(transport, directory.path() / "one");
    one.listen = "127.0.0.1:" + free_port();
    one.metrics = "127.0.0.1:0";
    one.duration = 4;
    AgentOptions two = options_for(transport, directory.path() / "two");
    two.listen = "127.0.0.1:0";
    two.peers = {one.listen};
    two.duration = 3;
    two.learning.numeric = "int16";
    two.learning.quantise = "auto";
    for (int run = 1; run <= 2; ++run) {
      std::vector<int> exits(2, -1);
      std::jthread other([&] { exits[1] = command::agent(two); });
      exits[0] = command::agent(one);
      other.join();
      CHECK(exits == std::vector<int>{0, 0});
      for (const auto* state : {"one", "two"}) {
        const checkpoint::AgentRecords agent = newest(directory.path() / state);
        CHECK_FALSE(agent.fresh);  // it has met the other
        CHECK(agent.steps > static_cast<std::uint64_t>(100 * run));
      }
    }
  }
}

TEST_CASE("an agent that has taken all its steps ends at once, and does not take them anew") {
  const ScratchDirectory directory;
  AgentOptions options = options_for("tcp", directory.path() / "state");
  options.listen = "127.0.0.1:0";
  options.steps = 20;
  options.duration = 60;
  for (int run = 0; run < 2; ++run) {
    CHECK(command::agent(options) == 0);
    CHECK(newest(directory.path() / "state").steps == 20);
  }
}

}  // namespace
