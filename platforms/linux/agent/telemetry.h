// How an agent is doing, over time: what its live page, its health check and its metrics tell. One thread's; another
// one posts its samples to it.
#pragma once

#include <popsgd/agent.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace popsgd::command {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// An agent at one moment. NaN is "not known", or not yet.
struct Sample {
  double seconds = 0;  ///< since the agent started, on a clock that only goes forward
  std::uint64_t steps = 0;
  double counter = 0;
  double loss = kUnknown;
  double accuracy = kUnknown;  ///< 0 to 1
  std::size_t peers_known = 0;
  std::size_t links = 0;
  double distance = kUnknown;  ///< rms, to the partners met last
  double epsilon = kUnknown;  ///< spent of the privacy budget; without privacy not known, and the two below 0
  std::uint64_t releases = 0;  ///< of blocks, with noise
  std::uint64_t withheld = 0;  ///< exchanges that the budget, or what is paid for of it, did not admit
  bool settled = false;
  bool fresh = false;
  AgentMetrics metrics;
};

/// What stays the same while an agent runs. Texts are shown as they are.
struct Facts {
  std::string id;     ///< of this agent, for people
  std::string swarm;  ///< its name
  std::string model;
  std::string data;
  std::string numeric;
  std::string version;
  std::vector<std::string> listening;  ///< addresses
  std::uint64_t parameters = 0;
  double started = 0;  ///< seconds since 1970: where Sample::seconds was 0
};

/// All of a run in bounded memory: when it is full every second sample goes, and from then on they are kept at twice the
/// interval.
class History {
 public:
  explicit History(std::size_t capacity = 600, double interval = 1);

  /// A sample, later than all before. It becomes the last one, and is kept if the one kept before is an interval old.
  void add(const Sample& sample);

  [[nodiscard]] const std::vector<Sample>& samples() const { return samples_; }  ///< kept, by time
  [[nodiscard]] const std::optional<Sample>& last() const { return last_; }
  [[nodiscard]] double interval() const { return interval_; }  ///< seconds

 private:
  std::size_t capacity_;
  double interval_;
  double slack_;  // timers are late now and early then
  std::vector<Sample> samples_;
  std::optional<Sample> last_;
};

/// In Prometheus' text format 0.0.4. What is unknown is left out.
[[nodiscard]] std::string prometheus(const Sample& sample, const Facts& facts);
inline constexpr const char* kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

/// The last sample, if there is one, and the facts. What is unknown is null.
[[nodiscard]] std::string status_json(const History& history, const Facts& facts);

/// The samples kept, in columns.
[[nodiscard]] std::string history_json(const History& history);

struct Health {
  bool ok = false;
  std::string text;  ///< "ok", or what is wrong
};
/// Well if the last sample is at most `patience` seconds old at `now`, on the samples' clock.
[[nodiscard]] Health health(const History& history, double now, double patience);

}  // namespace popsgd::command
