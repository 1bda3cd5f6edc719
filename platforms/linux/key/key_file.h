// The file in which a device keeps the key of its swarm.
#pragma once

#include "key/key_text.h"
#include "output/atomic_file.h"

#include <string>

namespace popsgd::command {

/// For its owner only, who is whoever runs the program, or root. The group may read what is root's and another user reads, as
/// systemd hands over credentials. Throws sim::Error, which says what is wrong and what to do, and nothing of what is in it.
void read_key_file(const std::string& path, SwarmKey& into);

/// Writes it whole, or not at all, for its owner only from its first moment; read_key_file() above. Throws sim::Error.
void write_key_file(const std::string& path, const SwarmKey& key, Existing existing);

}  // namespace popsgd::command
