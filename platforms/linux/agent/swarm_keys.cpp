#include "agent/swarm_keys.h"

#include "key/key_file.h"

#include <popsgd/sim/error.h>

#include <span>
#include <utility>

namespace popsgd::command {
namespace {

secure::EpochKeys derived(const SwarmKey& key, std::uint32_t epoch) {
  secure::EpochKeys keys;
  const Status status = secure::derive(std::as_bytes(std::span(key.bytes.value)), epoch, keys);
  if (status != Status::ok) throw sim::Error("no keys can be derived: " + std::string(text(status)));
  return keys;
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{1'000'000'000} * time.tv_sec + time.tv_nsec;
}

}  // namespace

secure::SwarmKeys keys_of(const SwarmKey& key) {
  return {.current = derived(key, key.epoch), .previous = derived(key, key.epoch - 1)};
}

void forget(secure::SwarmKeys& keys) {
  secure::forget(std::as_writable_bytes(std::span(&keys.current, 1)));
  if (keys.previous) secure::forget(std::as_writable_bytes(std::span(&*keys.previous, 1)));
}

void forget(std::optional<secure::SwarmKeys>& keys) {
  if (keys) forget(*keys);
  keys.reset();
}

// The first look finds what the agent has, or what has taken its place since.
KeyWatch::KeyWatch(std::string path, const secure::EpochKeys& having)
    : path_(std::move(path)), epoch_(having.epoch), identity_(having.identity) {}

KeyWatch::Stamp KeyWatch::stamp_of(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return {};
  return {about.st_dev, about.st_ino, nanoseconds(about.st_mtim), nanoseconds(about.st_ctim)};
}

// The stamp is taken first: should the file change before it is read, the next look reads it again.
std::optional<KeyWatch::NewKeys> KeyWatch::look() {
  const Stamp now = stamp_of(path_);
  if (std::exchange(seen_, now) == now) return {};
  SwarmKey key;
  read_key_file(path_, key);
  if (derived(key, key.epoch).identity == identity_) return {};
  NewKeys found{keys_of(key), derived(key, epoch_).identity == identity_};
  epoch_ = key.epoch;
  identity_ = found.keys.current.identity;
  return found;
}

}  // namespace popsgd::command
