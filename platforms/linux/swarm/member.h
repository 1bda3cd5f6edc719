// What an agent of the swarm has told of itself.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace popsgd::command {

struct Member {
  bool begun = false;  ///< it listens
  bool ended = false;  ///< the process is over
  std::string fate;    ///< how it died; empty: it did not
  std::string words;   ///< the last it said on stderr
  std::uint64_t steps = 0;
  double loss = std::numeric_limits<double>::quiet_NaN();      ///< of its last batches
  double accuracy = std::numeric_limits<double>::quiet_NaN();  ///< on the test rows
  std::uint64_t peers = 0;
  std::uint64_t links = 0;
  std::uint64_t completed = 0;
  std::uint64_t cut_short = 0;
  std::uint64_t retries = 0;
  std::uint64_t refused = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t bytes_sent = 0;
  bool settled = false;

  /// Takes a line of JSON from `popsgd agent`; anything else is ignored.
  void hear(std::string_view line);
};

}  // namespace popsgd::command
