#include "doctor/checks.h"

#include "agent/setup.h"
#include "agent/swarm_keys.h"
#include "device/files.h"
#include "doctor/network.h"

#include <popsgd/asio/error.h>
#include <popsgd/sim/error.h>
#include <popsgd/version.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <functional>

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

namespace popsgd::command {
namespace {

namespace fs = std::filesystem;
using Grade = Diagnosis::Grade;

/// What `look` finds, or what it throws, which stops.
Diagnosis careful(const char* what, const std::function<Diagnosis()>& look) {
  std::string why;
  try {
    Diagnosis finding = look();
    finding.what = what;
    return finding;
  } catch (const sim::Error& error) {
    why = error.what();
  } catch (const net::Error& error) {
    why = error.what();
  }
  return {Grade::stops, what, why};
}

Diagnosis key(const AgentOptions& options) {
  std::optional<secure::SwarmKeys> keys = keys_from(options);
  if (keys) {
    const std::uint32_t epoch = keys->current.epoch;
    forget(keys);
    return {Grade::fine, {}, "'" + options.key + "', epoch " + std::to_string(epoch)};
  }
  if (options.insecure)
    return {Grade::note, {}, "none, by --insecure: anybody may join, read and change what agents send"};
  return {Grade::fine, {}, "none, and none is needed: nothing leaves this machine"};
}

Diagnosis randomness() {
  std::array<char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), GRND_NONBLOCK) == static_cast<ssize_t>(bytes.size()))
    return {Grade::fine, {}, "the kernel has random bytes"};
  return {Grade::stops, {}, std::string("the kernel has no random bytes: ") + std::strerror(errno)};
}

/// Members prove themselves by a key, and no message has a time: a clock that is wrong is worth knowing, and stops nobody.
Diagnosis time() {
  timespec monotonic{};
  if (::clock_gettime(CLOCK_MONOTONIC, &monotonic) != 0)
    return {Grade::stops, {}, std::string("there is no monotonic clock: ") + std::strerror(errno)};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&now, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  constexpr int kWritten = 2025;  // this program
  if (1900 + parts.tm_year >= kWritten) return {Grade::fine, {}, text.data()};
  return {
      Grade::note, {}, std::string("the clock says ") + text.data() + "; the agent does not mind, logs do"};
}

/// The directory, or the nearest above it that is there.
fs::path nearest(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_parent_path() && path != path.parent_path())
    path = path.parent_path();
  return path;
}

Diagnosis state(const AgentOptions& options) {
  if (options.state.empty()) return {Grade::note, {}, "no --state: what it learns is gone when it ends"};
  const std::string quoted = "'" + options.state + "'";
  const fs::path there = nearest(fs::absolute(options.state));
  if (!fs::is_directory(there))
    return {Grade::stops, {}, quoted + ": '" + there.string() + "' is no directory"};
  if (::access(there.c_str(), W_OK | X_OK) != 0)
    return {Grade::stops, {}, quoted + ": '" + there.string() + "': " + std::strerror(errno)};
  if (there != fs::absolute(options.state)) return {Grade::fine, {}, quoted + " can be made"};
  device::Files& files = device::system_files();
  const int directory = files.open(AT_FDCWD, options.state, O_RDONLY | O_DIRECTORY);
  if (directory < 0) return {Grade::stops, {}, quoted + ": " + std::strerror(-directory)};
  const bool taken = files.lock(directory) == -EWOULDBLOCK;
  const int holder = taken ? files.holder(directory) : 0;
  files.close(directory);
  if (taken) return {Grade::stops, {}, quoted + ": another agent has it, process " + std::to_string(holder)};
  return {Grade::fine, {}, quoted + " can be written"};
}

}  // namespace

std::vector<Diagnosis> examine(const AgentOptions& options) {
  std::vector<Diagnosis> findings{careful("key", [&] { return key(options); }),
                                  careful("randomness", randomness), careful("time", time),
                                  careful("permissions", [&] { return state(options); }),
                                  careful("ports", [&] { return ports(options); })};
  std::vector<Diagnosis> network;
  Diagnosis multicast = careful("multicast", [&] { return beacons(options, network); });
  for (Diagnosis& finding : network) findings.push_back(std::move(finding));
  findings.push_back(std::move(multicast));
  return findings;
}

}  // namespace popsgd::command
