#include "network/adversary.h"

#include "network/streams.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

namespace popsgd::sim {
namespace {

constexpr float kHuge = 1e30F;
constexpr float kPush = 0.002F;
constexpr std::uint64_t kLoris = 9'000'000;  // microseconds; an honest agent waits Timing::idle, 10 seconds
constexpr std::uint32_t kNever = 24U * 3600U * 1000U;
constexpr std::size_t kRecords = 64;

std::uint32_t liars_among(const ByzantineSettings& settings, std::uint32_t agents) {
  if (!(settings.fraction >= 0) || !(settings.fraction < 0.5))
    throw Error("--byzantine: the fraction is at least 0 and below 0.5");
  if (settings.fraction == 0) return 0;
  if (agents < 3) throw Error("--byzantine takes at least 3 agents: the liars are fewer than half of them");
  const long wanted = std::lround(settings.fraction * agents);
  return std::clamp(static_cast<std::uint32_t>(wanted), 1U, (agents - 1) / 2);
}

// CRC-32C bit by bit (reflected polynomial 0x82F63B78): how every frame ends, little-endian.
void seal(std::span<std::byte> frame) {
  std::uint32_t crc = 0xFFFF'FFFFU;
  for (const std::byte byte : frame.first(frame.size() - 4)) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0x82F6'3B78U & (0U - (crc & 1U)));
  }
  for (std::size_t k = 0; k < 4; ++k)
    frame[frame.size() - 4 + k] = static_cast<std::byte>(~crc >> (8 * k) & 0xFFU);
}

// Up to three bits, and one time in four another length: some of it is still understood.
std::size_t mutate(Random& random, std::span<std::byte> buffer, std::size_t size) {
  if (random.below(4) == 0) {
    const std::size_t length = 5 + random.below(static_cast<std::uint32_t>(buffer.size() - 4));
    for (std::size_t k = size; k < length; ++k) buffer[k] = static_cast<std::byte>(random.bits() >> 24);
    size = length;
  }
  for (std::uint32_t flips = random.below(4); flips > 0; --flips) {
    const std::uint32_t bit = random.below(static_cast<std::uint32_t>(8 * (size - 4)));
    buffer[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  seal(buffer.first(size));
  return size;
}

}  // namespace

Adversary::Adversary(const ByzantineSettings& settings, const Topology& topology, const Swarm& swarm,
                     std::uint64_t seed)
    : kind_(settings.kind), topology_(topology), swarm_(swarm), place_(swarm.agents(), kHonest) {
  std::vector<std::uint32_t> order(swarm.agents());
  std::iota(order.begin(), order.end(), 0U);
  const std::uint32_t count = liars_among(settings, swarm.agents());
  Random random(seed, Purpose::network, kLotStream);
  for (std::uint32_t k = 0; k < count; ++k) {  // Fisher and Yates
    std::swap(order[k], order[k + random.below(swarm.agents() - k)]);
    place_[order[k]] = k;
    liars_.push_back({.random = Random(seed, Purpose::network, kLiarsStream + k)});
  }
  honest_.assign(order.begin() + count, order.end());
  std::sort(honest_.begin(), honest_.end());
}

// --- as an agent

void Adversary::configure(AgentConfig& config) const {
  config.guarding = {.limit = std::numeric_limits<float>::infinity(), .gate = false};
  config.local_steps = 0;
  if (kind_ != Lie::busy) return;
  // For ever waiting for the phantom's answer, it has time for nobody else.
  config.mean_wait = 0;
  config.timing.offer = kNever;
  config.timing.busy = std::numeric_limits<std::uint16_t>::max();
}

void Adversary::prepare(std::uint32_t agent, Agent& body, Time now) {
  if (body.exchanging()) return;
  if (kind_ == Lie::busy) return static_cast<void>(body.meet(PeerId{kPhantom}, now));
  Liar& liar = liars_[place_[agent]];
  const std::uint64_t next = body.metrics().begun + 1;
  // Once an exchange; but who knows what it attacks keeps up with it.
  if (liar.prepared_for == next && kind_ != Lie::sign_flip) return;
  liar.prepared_for = next;
  write_lie(liar, swarm_[agent]);
}

// --- about its model

ConstParams Adversary::victim(Liar& liar) const {
  return swarm_[honest_[liar.random.below(static_cast<std::uint32_t>(honest_.size()))]];
}

void Adversary::write_lie(Liar& liar, Params model) {
  switch (kind_) {
    case Lie::nan:
      return std::fill(model.begin(), model.end(), std::numeric_limits<float>::quiet_NaN());
    case Lie::huge:
      return std::fill(model.begin(), model.end(), kHuge);
    case Lie::random: {
      const ConstParams honest = victim(liar);
      const double square = std::inner_product(honest.begin(), honest.end(), honest.begin(), 0.0);
      const auto rms = static_cast<float>(std::sqrt(square / static_cast<double>(honest.size())));
      for (float& x : model) x = rms * liar.random.normal();
      return;
    }
    case Lie::sign_flip: {
      const ConstParams honest = victim(liar);
      std::transform(honest.begin(), honest.end(), model.begin(), [](float x) { return -x; });
      return;
    }
    case Lie::frozen:
      if (initial_.empty()) initial_.assign(model.begin(), model.end());  // all agents begin with the same
      std::copy(initial_.begin(), initial_.end(), model.begin());
      return;
    case Lie::drift:
      for (float& x : model) x += kPush;
      return;
    default:
      return;  // its frames lie
  }
}

// --- about the protocol

bool Adversary::hear(std::uint32_t agent, std::uint32_t from, std::span<const std::byte> frame,
                     const Agent& body) {
  Liar& liar = liars_[place_[agent]];
  if (kind_ == Lie::replay) record(liar, frame);
  if (kind_ != Lie::slow_loris) return true;
  // It spares its rare frames for the partner it holds up.
  if (!body.exchanging()) liar.partner = from;
  return from == liar.partner;
}

std::span<const Adversary::Utterance> Adversary::say(std::uint32_t agent, const Agent::Outgoing& out,
                                                     std::span<std::byte> buffer, std::uint64_t now) {
  Liar& liar = liars_[place_[agent]];
  const auto to = static_cast<std::uint32_t>(out.to);
  said_.clear();
  if (to == kPhantom) return said_;
  const std::size_t size = kind_ == Lie::malformed ? mutate(liar.random, buffer, out.size) : out.size;
  said_.push_back({to, buffer.first(size)});
  if (kind_ == Lie::slow_loris) {
    liar.partner = to;
    liar.speaks_at = now + kLoris;
  }
  if (kind_ == Lie::replay) {
    record(liar, buffer.first(size));
    const std::uint32_t old = liar.random.below(static_cast<std::uint32_t>(liar.records.size()));
    said_.push_back({random_peer(liar, agent), liar.records[old]});
  }
  return said_;
}

void Adversary::record(Liar& liar, std::span<const std::byte> frame) const {
  if (frame.empty()) return;  // cut off on its way
  if (liar.records.size() < kRecords) liar.records.emplace_back();
  liar.records[liar.recorded++ % kRecords].assign(frame.begin(), frame.end());
}

std::uint32_t Adversary::random_peer(Liar& liar, std::uint32_t agent) const {
  if (topology_.complete()) return (agent + 1 + liar.random.below(swarm_.agents() - 1)) % swarm_.agents();
  const auto peers = topology_.neighbours(agent);
  return peers[liar.random.below(static_cast<std::uint32_t>(peers.size()))];
}

}  // namespace popsgd::sim
