// popsgd_agent_memory: what an agent needs beside its model, for several blocks. Printed by the build.
#include <popsgd/agent.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>

int main() {
  constexpr std::size_t kParameters = 50'890;  // 784-64-10, 203,560 bytes
  constexpr std::size_t kBudget = 12 * 1024;   // of an agent with blocks of 4 kB
  std::printf("memory of an agent beside a model of %zu bytes\n", sizeof(float) * kParameters);
  std::printf("  %12s %14s %18s %9s\n", "block, bytes", "peers known", "exchanges known", "bytes");
  bool within = true;
  for (const std::uint32_t block : {256U, 512U, 1024U, 4096U, 0U}) {
    for (const std::uint16_t places : {std::uint16_t{4}, std::uint16_t{16}}) {
      popsgd::AgentConfig config;
      config.block_length = block;
      config.peers = config.finished = places;
      const std::size_t bytes = popsgd::Agent::workspace_size(config, kParameters);
      std::printf("  %12zu %14u %18u %9zu\n", sizeof(float) * (block == 0 ? kParameters : block),
                  unsigned{places}, unsigned{places}, bytes);
      within = within && (block != 1024 || bytes < kBudget);
    }
  }
  if (!within) std::printf("blocks of 4096 bytes: over the budget of %zu\n", kBudget);
  return within ? 0 : 1;
}
