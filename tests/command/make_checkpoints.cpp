// Saves what agents save, for `popsgd inspect` to look at: make_checkpoints DIRECTORY makes in it
//   float/        ten parameters 0, 0.5, ... 4.5 and three local steps, saved twice
//   int16/        seven parameters 0, -100, ... -600, saved once
//   stranger/     two parameters and records that are not an agent's
#include "device/file_store.h"

#include <popsgd/agent.h>
#include <popsgd/checkpoint.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using popsgd::AgentConfig;
using popsgd::Status;
using popsgd::device::FileStore;
namespace fs = std::filesystem;

void need(bool done) {
  if (!done) std::abort();
}

void save(const popsgd::Agent& agent, const fs::path& directory, std::uint64_t size, int times) {
  FileStore store;
  need(store.open(directory, size) == Status::ok);
  for (int k = 0; k < times; ++k) need(agent.save(store) == Status::ok);
}

// Gradients of nothing: a step leaves the model as it is.
float still(const void*, popsgd::ConstParams, const popsgd::Batch&, float, float, popsgd::Params into,
            popsgd::Scratch) noexcept {
  for (float& x : into) x = 0;
  return 0;
}

void save_floats(const fs::path& directory) {
  std::array<float, 10> model{};
  for (std::size_t k = 0; k < model.size(); ++k) model[k] = 0.5F * static_cast<float>(k);
  const AgentConfig config{.seed = 1, .fingerprint = 0x1122334455667788};
  const popsgd::Gradient gradient{.function = still, .parameters = model.size()};
  popsgd::Batch batch{};
  const auto next = [](void* context) noexcept -> const popsgd::Batch& {
    return *static_cast<popsgd::Batch*>(context);
  };
  std::array<float, 10> scratch{};
  alignas(8) std::array<std::byte, 16384> workspace{};
  popsgd::Agent agent;
  need(agent.init(config, model, gradient, {next, &batch}, {}, scratch, workspace, popsgd::Time(0)) ==
       Status::ok);
  for (int k = 0; k < 3; ++k) need(agent.step().ok());
  save(agent, directory, popsgd::Agent::checkpoint_size(config, model.size()), 2);
}

void save_integers(const fs::path& directory) {
  const std::array<std::int16_t, 7> model{0, -100, -200, -300, -400, -500, -600};
  FileStore store;
  need(store.open(directory, popsgd::checkpoint::slot_size(popsgd::checkpoint::words(14), 0)) == Status::ok);
  need(popsgd::checkpoint::save(store, {.fingerprint = 5, .integers = std::as_bytes(std::span(model))}) ==
       Status::ok);
}

void save_stranger(const fs::path& directory) {
  const std::array<float, 2> model{1, 2};
  const std::array<std::byte, 40> records{std::byte{0xEE}};
  FileStore store;
  need(store.open(directory, popsgd::checkpoint::slot_size(2, 40)) == Status::ok);
  need(popsgd::checkpoint::save(store, {.parameters = model, .records = records}) == Status::ok);
}

}  // namespace

int main(int argc, char** argv) {
  need(argc == 2);
  const fs::path in(argv[1]);
  save_floats(in / "float");
  save_integers(in / "int16");
  save_stranger(in / "stranger");
}
