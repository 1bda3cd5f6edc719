// The keys of the swarm that an agent is a member of, from its start to its end.
#pragma once

#include "key/key_text.h"

#include <popsgd/secure/context.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/stat.h>

namespace popsgd::command {

/// Of its epoch and the one before. Throws sim::Error.
[[nodiscard]] secure::SwarmKeys keys_of(const SwarmKey& key);
/// Overwrites them.
void forget(secure::SwarmKeys& keys);
void forget(std::optional<secure::SwarmKeys>& keys);

/// Looks whether the key file of an agent that runs has become another: by popsgd rotate, or popsgd enroll --force.
class KeyWatch {
 public:
  /// `having`: what the agent uses.
  KeyWatch(std::string path, const secure::EpochKeys& having);

  struct NewKeys {
    secure::SwarmKeys keys;
    bool same_key;  ///< only the epoch is another
  };
  /// What the agent is to use from now on; empty: what it has. Throws sim::Error, once for each change, if the file is no key file
  /// any more: it is looked at again when it changes.
  [[nodiscard]] std::optional<NewKeys> look();

 private:
  /// What tells a file from another, or from what it was; zeros: there is none.
  struct Stamp {
    dev_t device;
    ino_t number;
    std::int64_t written, changed;  // ns
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp stamp_of(const std::string& path);

  std::string path_;
  Stamp seen_{};
  std::uint32_t epoch_;
  std::array<char, 16> identity_;
};

}  // namespace popsgd::command
