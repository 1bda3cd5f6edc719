// An agent, and a peer that says whatever a test wants it to say.
#pragma once

#include "codec/codec.h"
#include "codec/seal.h"
#include "exchange/exchange.h"
#include "lossy_net.h"
#include "slow_crc.h"

#include <popsgd/agent.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace popsgd::test {

inline constexpr PeerId kPeer{7};

/// Frames of 256 bytes carry chunks of 50 parameters; the agent's model is 0, the peer's is 1.
class ScriptedPeer {
 public:
  static constexpr std::size_t kChunk = 50;

  explicit ScriptedPeer(const AgentConfig& config, std::size_t parameters = 150)
      : theirs(parameters, 1.0F), device(config, std::vector<float>(parameters), now), config_(config) {
    static_cast<void>(device.agent.add_peer(kPeer, {.mtu = 256}));
  }
  /// An agent of any kind, of one tensor.
  ScriptedPeer(const AgentConfig& config, Numeric kind, Tensor tensor)
      : theirs(tensor.length, 1.0F),
        device(config, kind, {tensor}, std::vector<float>(tensor.length), now),
        config_(config) {
    static_cast<void>(device.agent.add_peer(kPeer, {.mtu = 256}));
  }

  /// The model in three blocks, of 60, 60 and 30 parameters. Offers only by meet(), and no gate.
  static AgentConfig three_blocks() {
    return {.seed = 5,
            .fingerprint = 77,
            .fresh = false,
            .mean_wait = 0,
            .block_length = 60,
            .guarding = {.gate = false}};
  }

  // --- what the peer says

  void tell(const codec::Frame& frame, PeerId from = kPeer) {
    std::vector<std::uint64_t> words(8192);
    const auto bytes = std::as_writable_bytes(std::span(words));
    const auto encoded = codec::encode(frame, bytes);
    if (!encoded.ok()) std::abort();  // the script is wrong
    device.agent.receive(from, bytes.first(codec::seal(bytes, encoded->size())), now);
  }

  [[nodiscard]] codec::Handshake handshake(std::uint64_t nonce) const {
    const auto length = static_cast<std::uint32_t>(theirs.size());
    return {.nonce = nonce,
            .fingerprint = config_.fingerprint,
            .parameters = length,
            .block_length = config_.block_length == 0 ? length : config_.block_length,
            .mtu = 256,
            .window = 4};
  }
  [[nodiscard]] codec::Frame offer(std::uint64_t nonce) const {
    return {.kind = codec::Kind::offer, .exchange = nonce, .handshake = handshake(nonce)};
  }
  [[nodiscard]] codec::Frame accept(std::uint64_t offer_nonce, std::uint64_t nonce) const {
    return {.kind = codec::Kind::accept, .exchange = offer_nonce, .handshake = handshake(nonce)};
  }
  /// A frame of the exchange under way.
  [[nodiscard]] codec::Frame frame(codec::Kind kind, std::uint16_t block) const {
    codec::Frame made{.kind = kind, .exchange = name, .block = block};
    made.data = std::as_bytes(std::span(theirs)).first(4);
    if (kind == codec::Kind::ack) made.acknowledgement = codec::Acknowledgement{.block = block};
    return made;
  }
  [[nodiscard]] codec::Frame chunk(std::uint16_t block, std::uint16_t index) const {
    codec::Frame made = frame(codec::Kind::state, block);
    made.chunk = index;
    const std::size_t length = stretch(theirs, block).size();
    made.data = std::as_bytes(
        stretch(theirs, block).subspan(index * kChunk, std::min(kChunk, length - index * kChunk)));
    return made;
  }
  [[nodiscard]] codec::Frame ready(std::uint16_t block) const {
    codec::Frame made = frame(codec::Kind::ready, block);
    made.checksums = {.initiator = slow_crc(std::as_bytes(stretch(device.x, block))),
                      .responder = slow_crc(std::as_bytes(stretch(theirs, block)))};
    return made;
  }
  void tell_block(std::uint16_t block) {
    const std::size_t length = stretch(theirs, block).size();
    for (std::uint16_t k = 0; k * kChunk < length; ++k) tell(chunk(block, k));
  }

  // --- what the agent says

  /// All frames it has to send now. Their data stay valid as long as the peer.
  std::vector<codec::Frame> hear() {
    std::vector<codec::Frame> frames;
    std::vector<std::uint64_t> words(8192);
    while (const auto out = device.agent.send(std::as_writable_bytes(std::span(words)), now)) {
      last_to = out->to;
      const auto& kept = heard_.emplace_back(words);
      const auto decoded = codec::decode(*codec::unseal(std::as_bytes(std::span(kept)).first(out->size)));
      if (!decoded.ok()) std::abort();
      frames.push_back(decoded.value());
    }
    return frames;
  }
  /// How many of them are of this kind; the others are forgotten.
  std::size_t hear(codec::Kind kind) {
    const auto frames = hear();
    return static_cast<std::size_t>(
        std::ranges::count_if(frames, [kind](const codec::Frame& frame) { return frame.kind == kind; }));
  }

  /// Until the agent's next deadline, ms.
  [[nodiscard]] std::int32_t wait() const { return device.agent.deadline(now).since(now); }

  // --- handshakes

  /// The peer offers, the agent accepts.
  void begin_as_initiator(std::uint64_t nonce = 1000) {
    tell(offer(nonce));
    name = name_of(nonce, hear().at(0).handshake.nonce);
  }
  /// The agent offers, the peer accepts.
  void begin_as_responder(std::uint64_t nonce = 2000) {
    offered = meet();
    tell(accept(offered, nonce));
    name = name_of(offered, nonce);
  }
  /// The nonce of the agent's offer.
  std::uint64_t meet() {
    if (device.agent.meet(kPeer, now) != Status::ok) std::abort();
    return hear().at(0).exchange;
  }
  /// The block exchanged as number `ordinal`, from 0.
  [[nodiscard]] std::uint16_t block(std::uint32_t ordinal) const {
    const std::uint32_t blocks = block_count(handshake(0));
    return static_cast<std::uint16_t>((first_block(name, blocks) + ordinal) % blocks);
  }

  [[nodiscard]] const AgentMetrics& metrics() const { return device.agent.metrics(); }
  [[nodiscard]] std::uint64_t dropped(Drop reason) const {
    return metrics().dropped[static_cast<std::size_t>(reason)];
  }
  /// What telling this frame adds to the frames dropped for this reason.
  std::uint64_t drops(Drop reason, const codec::Frame& frame, PeerId from = kPeer) {
    const std::uint64_t before = dropped(reason);
    tell(frame, from);
    return dropped(reason) - before;
  }

  Time now{0xFFFFFF00U};  // wraps around soon
  std::vector<float> theirs;
  Device device;
  std::uint64_t name = 0;
  std::uint64_t offered = 0;
  PeerId last_to{};

 private:
  [[nodiscard]] std::span<const float> stretch(std::span<const float> model, std::uint16_t block) const {
    const std::size_t length = handshake(0).block_length;
    const auto rest = model.subspan(block * length);
    return rest.first(std::min(length, rest.size()));
  }

  AgentConfig config_;
  std::vector<std::vector<std::uint64_t>> heard_;
};

}  // namespace popsgd::test
