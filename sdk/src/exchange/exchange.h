// The exchange protocol: two agents move each block of their models to the average, on both sides or on neither.
//
//   initiator                          responder
//   OFFER      ------------------->
//              <-------------------    ACCEPT, BUSY or REJECT
//   STATE ...  ------------------->                       chunks of the block's snapshots, acknowledged
//              <-------------------    STATE ...
//              <-------------------    READY              "I have staged my half": may not go back on it
//   decides, applies
//   COMMIT     ------------------->    applies            or STATE of the next block, which says the same
//
// If the points of either side were read wrong, the initiator begins another attempt at the block, which the responder
// follows: until READY and COMMIT of an attempt meet, nothing is decided. All frames name their attempt.
//
//   STATE      ------------------->                       its own in more bits, or, at last, everything anew and raw
//   AGAIN      ------------------->                       only the responder's are wanted again: it stays prepared
//
// Then the next block. ABORT ends an exchange; the initiator never aborts a block it has decided. A responder
// that has said READY and hears nothing for long drops its half: the one case in which it may differ from its partner.
#pragma once

#include "codec/frame.h"
#include "exchange/counts.h"
#include "exchange/finished.h"
#include "exchange/learner.h"
#include "exchange/replies.h"
#include "exchange/snapshots.h"
#include "exchange/steps.h"
#include "exchange/window.h"

#include <popsgd/agent.h>
#include <popsgd/parts.h>
#include <popsgd/random.h>

#include <cstdint>
#include <optional>

namespace popsgd {

/// Why an exchange was aborted, as it travels.
enum class Ending : std::uint8_t {
  refused = 1,    ///< by the guard
  timed_out = 2,  ///< nothing was heard for long
  over = 3,       ///< it ended before this block was decided
  unknown = 4,    ///< the sender knows nothing of it, or not any more
};

/// Why an offer was rejected, as it travels.
enum class Rejection : std::uint8_t { version = 1, fingerprint = 2, model = 3 };

/// The name of an exchange has room for the number of the attempt at its block.
inline constexpr std::uint64_t kAttemptMask = 3;
static_assert(kAttempts == kAttemptMask + 1);

/// The name of an exchange, from both nonces.
[[nodiscard, gnu::noinline]] constexpr std::uint64_t name_of(std::uint64_t initiator,
                                                             std::uint64_t responder) {
  return ((initiator ^ 0x9E3779B97F4A7C15ULL) * 0xD6E8FEB86659FD93ULL + responder) * kAttempts;
}
/// Of what frames call the exchange: its name, and the attempt they belong to.
[[nodiscard]] constexpr std::uint64_t name_in(const codec::Frame& frame) {
  return frame.exchange & ~kAttemptMask;
}
[[nodiscard]] constexpr std::uint8_t attempt_in(const codec::Frame& frame) {
  return static_cast<std::uint8_t>(frame.exchange & kAttemptMask);
}

/// The block an exchange begins with: another one every time.
/// (name / 2^16) % blocks, at most 65536, by three divisions of 32 bits.
[[nodiscard]] constexpr std::uint16_t first_block(std::uint64_t name, std::uint32_t blocks) {
  std::uint32_t rest = 0;
  for (int shift = 48; shift >= 16; shift -= 16)
    rest = (rest << 16 | static_cast<std::uint16_t>(name >> shift)) % blocks;
  return static_cast<std::uint16_t>(rest);
}

[[nodiscard]] constexpr std::uint32_t block_count(const codec::Handshake& plan) {
  const std::uint32_t length = plan.block_length < plan.parameters ? plan.block_length : plan.parameters;
  return plan.parameters / length + (plan.parameters % length != 0 ? 1 : 0);
}

class Exchange {
 public:
  enum class Phase : std::uint8_t {
    idle,
    offering,  ///< initiator: waits for the answer to its offer
    moving,    ///< the block's snapshots cross
    prepared,  ///< responder: has said READY, waits for COMMIT
  };

  Exchange(const AgentConfig& config, Learner& learner, const Steps& steps, Finished& finished,
           AgentMetrics& metrics, Replies& replies, Random& random, const Snapshots& snapshots,
           std::size_t block_length)
      : config_(config),
        learner_(learner),
        finished_(finished),
        metrics_(metrics),
        replies_(replies),
        random_(random),
        longest_block_(static_cast<std::uint32_t>(block_length)),
        steps_(steps),
        snapshots_(snapshots) {}

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] bool idle() const { return phase_ == Phase::idle; }
  [[nodiscard]] bool initiator() const { return initiator_; }
  [[nodiscard]] PeerId peer() const { return peer_; }
  [[nodiscard]] std::uint64_t name() const { return name_; }
  /// Of the model's tensors.
  [[nodiscard]] std::uint32_t layout() const { return snapshots_.layout(); }
  /// The nonce of its OFFER.
  [[nodiscard]] std::uint64_t offered() const { return nonce_i_; }

  void offer(PeerId peer, LinkTraits traits, Time now);
  /// Our offer came back to us: it gets another nonce.
  void offer_anew(Time now);
  /// Begins as the responder to a compatible OFFER, dropping an offer of our own.
  void answer(PeerId peer, LinkTraits traits, const codec::Frame& offer, Time now);
  /// The OFFER has come again.
  void answer_again(Time now);
  /// ACCEPT of our offer. An answer that contradicts it is dropped.
  void accepted(const codec::Frame& accept, Time now);
  /// BUSY or REJECT of our offer.
  void withdraw() { phase_ = Phase::idle; }
  /// Ends it, as nothing can come from the peer any more. Not to be called when idle.
  void give_up(Time now);

  /// STATE, ACK, READY, COMMIT or ABORT of this exchange. May leave a last frame for the peer among the replies.
  [[gnu::noinline]] void receive(const codec::Frame& frame, Time now);

  /// Makes a new frame the next one to the peer, whose data may lie in `room`, as long as the link's mtu. False when there is none
  /// now; but one may be among the replies then.
  [[nodiscard, gnu::noinline]] bool write(codec::Frame& frame, std::span<std::byte> room, Time now);
  [[nodiscard]] Time deadline(Time now) const;

  /// The handshake of this agent for a peer behind a link with these traits.
  [[nodiscard]] codec::Handshake handshake(LinkTraits traits) const;

 private:
  void introduce(PeerId peer, LinkTraits traits, Time now);
  // The plan both sides derive from the ACCEPT.
  void open(const codec::Handshake& plan, const codec::Handshake& theirs, LinkTraits traits, Time now);
  void begin_block();
  void begin_attempt();
  void begin_crossing();
  void speak();
  [[nodiscard]] bool follow(const codec::Frame& frame);
  [[nodiscard]] bool plain() const { return held(Numeric::float32) && plain_; }
  [[nodiscard]] bool rotating() const { return has(Part::rotation) && rotating_; }
  [[nodiscard]] Encoding encoding() const;
  [[nodiscard]] bool acceptable(Encoding theirs) const;
  [[nodiscard]] bool repeats_own(Encoding theirs) const;
  [[nodiscard]] Stretch stretch() const;
  [[nodiscard]] std::uint16_t block() const {
    return static_cast<std::uint16_t>((first_ + ordinal_) % blocks_);
  }
  [[nodiscard]] std::uint32_t ordinal_of(std::uint16_t block) const {
    return (block + blocks_ - first_) % blocks_;
  }

  void receive_state(const codec::Frame& frame, Time now);
  void receive_acknowledgement(const codec::Frame& frame, Time now);
  void receive_ready(const codec::Frame& frame, Time now);
  void receive_again(const codec::Frame& frame, Time now);
  void receive_commit(const codec::Frame& frame, Time now);
  void receive_abort(const codec::Frame& frame, Time now);
  void arrived(const codec::Frame& frame, Time now);

  void stage(Time now);   // responder: READY, or ABORT
  void decide(Time now);  // initiator: COMMIT, ABORT, or another attempt
  [[nodiscard]] bool try_again(bool own_wrong, bool theirs_wrong);  // initiator
  [[nodiscard]] Refusal judge();
  void remember_distance();  // responder
  void commit(Time now);     // responder
  void apply(Time now);
  [[nodiscard]] std::size_t merge(Stretch here);
  void remember(Time now);
  void refuse(Refusal refusal, Time now);
  void end(bool complete, Time now);
  void abort(Ending ending);
  void reply(codec::Kind kind, std::uint8_t code, std::uint16_t block);
  [[nodiscard]] Time patience_ends() const;
  [[nodiscard]] bool expire(Time now);
  void repeat_later(Time now);
  // More than the handshake, which over a stream is there before all that follows it.
  [[nodiscard]] bool may_speak() const {
    return phase_ != Phase::offering && (confirmed_ || traits_.reliable);
  }
  [[nodiscard]] bool repeat_due(Time now) const { return repeat_at_.reached(now); }
  void drop(Drop reason) { count_drop(metrics_, reason); }

  // Small things first: a small processor reaches those at the beginning of an object by a single instruction.
  const AgentConfig& config_;
  Learner& learner_;
  Finished& finished_;
  AgentMetrics& metrics_;
  Replies& replies_;
  Random& random_;
  std::uint32_t longest_block_;

  Phase phase_ = Phase::idle;
  bool initiator_ = false;
  bool confirmed_ = false;  // the peer has our handshake: until then it is repeated
  bool counted_ = false;    // the counters have met
  PeerId peer_{};
  LinkTraits traits_{};
  Weight weight_ = Weight::half;
  Numeric their_numeric_ = Numeric::float32;
  bool plain_ = true;      // nobody quantises, and both models are floats
  bool rotating_ = false;  // both wish to rotate
  bool adopting_ = false;  // one takes the other's model over: raw

  std::uint8_t attempt_ = 0;  // at the block, counted from 0
  bool speaking_ = false;     // our encoding is chosen: a responder first hears its partner's
  bool asks_again_ = false;   // initiator: in this attempt, for the responder's alone,
  bool owes_again_ = false;   // and is about to say so
  bool acknowledge_now_ = false;
  std::uint8_t unacknowledged_ = 0;             // arrivals the peer has not been told of
  std::uint8_t decided_attempt_ = 0;            // initiator: the block decided last, at this attempt,
  std::optional<std::uint16_t> owed_commit_{};  // if its COMMIT is still to be sent
  std::uint16_t first_ = 0;
  std::uint32_t ordinal_ = 0;  // blocks applied so far
  std::uint32_t blocks_ = 1;
  std::uint32_t block_length_ = 1;

  Time began_{};
  Time heard_{};       // the peer's last frame
  Time progressed_{};  // the last one that moved the block on
  Time block_ends_{};
  Time repeat_at_{};  // OFFER, ACCEPT or READY
  Time acknowledge_at_{};
  std::uint64_t nonce_i_ = 0;
  std::uint64_t name_ = 0;
  std::optional<codec::Checksums> ready_{};  // initiator: what READY said; responder: what it says

  Steps steps_;
  Receiver receiver_{};
  RoundTrip repeats_{};
  StepCounter counter_mine_{};
  StepCounter counter_theirs_{};
  codec::Handshake plan_{};  // of the ACCEPT; before it, our own
  Snapshots snapshots_;
  Sender sender_{};
};

}  // namespace popsgd
