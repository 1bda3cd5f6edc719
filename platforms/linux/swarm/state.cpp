#include "swarm/state.h"

#include "device/entropy.h"
#include "output/atomic_file.h"

#include <popsgd/sim/error.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>
#include <system_error>

namespace popsgd::command {
namespace {

namespace fs = std::filesystem;

std::string temporary_folder() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string name = ((error ? fs::path("/tmp") : parent) / "popsgd-swarm-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw sim::Error("cannot make a folder '" + name + "': " + std::system_category().message(errno));
  return name;
}

std::string new_name() {
  std::uint64_t number = 0;
  device::KernelEntropy entropy;
  if (entropy.fill(std::as_writable_bytes(std::span(&number, 1))) != Status::ok)
    throw sim::Error("the kernel gives no random numbers");
  char text[32];
  std::snprintf(text, sizeof text, "swarm-%016llx", static_cast<unsigned long long>(number));
  return text;
}

}  // namespace

SwarmState::SwarmState(const std::string& folder)
    : folder_(folder.empty() ? temporary_folder() : folder), temporary_(folder.empty()) {
  if (!temporary_) prepare_output_directory(folder_);
  const fs::path file = folder_ / "name";
  if (std::ifstream in(file); in && std::getline(in, name_) && !name_.empty()) return;
  name_ = new_name();
  write_file_atomically(file, name_ + "\n");
}

SwarmState::~SwarmState() {
  std::error_code ignored;
  if (temporary_) fs::remove_all(folder_, ignored);
}

fs::path SwarmState::of_agent(std::uint32_t index) const {
  return folder_ / ("agent-" + std::to_string(index + 1));
}

}  // namespace popsgd::command
