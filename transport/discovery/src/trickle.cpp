#include <popsgd/assert.h>
#include <popsgd/discovery/trickle.h>

namespace popsgd::discovery {

Trickle::Trickle(const TrickleConfig& config, const Random& random, Time now)
    : config_(config), random_(random), interval_(config.shortest) {
  POPSGD_ASSERT(config.shortest >= 2);
  POPSGD_ASSERT(std::uint64_t{config.shortest} << config.doublings < std::uint64_t{1} << 31);
  begin(now);
}

void Trickle::consistent() {
  if (heard_ < config_.redundancy) ++heard_;
}

void Trickle::inconsistent(Time now) {
  if (interval_ == config_.shortest) return;
  interval_ = config_.shortest;
  begin(now);
}

bool Trickle::poll(Time now) {
  bool transmit = false;
  if (!passed_ && point_.reached(now)) {
    passed_ = true;
    transmit = config_.redundancy == 0 || heard_ < config_.redundancy;
  }
  if (end_.reached(now)) {
    if (interval_ < config_.shortest << config_.doublings) interval_ *= 2;
    begin(now);
  }
  return transmit;
}

void Trickle::begin(Time now) {
  const std::uint32_t half = interval_ / 2;
  heard_ = 0;
  passed_ = false;
  point_ = now + half + random_.below(interval_ - half);
  end_ = now + interval_;
}

}  // namespace popsgd::discovery
