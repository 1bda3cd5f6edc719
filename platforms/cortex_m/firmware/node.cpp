#include "node.h"

#include <algorithm>

namespace firmware {
namespace {

using namespace popsgd;

// Softmax regression. Another number for another model or swarm: devices whose numbers differ do not exchange.
constexpr std::array<std::uint32_t, 2> kWidths{Digits::kPixels, Digits::kClasses};
constexpr std::array<LayerFormat, 1> kFormats{{{.weights = 12, .biases = 12}}};
constexpr std::uint64_t kFingerprint = 0x6469676974733031;

constexpr std::uint32_t kBlock = 130;  // parameters: five blocks, of which two lie in memory as they cross

}  // namespace

Node::Node(const Services& services) noexcept : services_(services), link_(kMtu, services.port, line_) {}

AgentConfig Node::config(std::uint64_t seed) noexcept {
  AgentConfig config{.seed = seed, .fingerprint = kFingerprint};
  config.mean_wait = kMeetEvery;
  config.block_length = kBlock;
  config.largest_frame = kMtu;
  config.window = 1;
  config.peers = 1;
  config.finished = 2;
  config.quantise.width = Width::automatic;
  config.guarding.gate = false;  // of one partner nobody can tell how far is too far
  return config;
}

Status Node::start() noexcept {
  std::uint64_t seed = 0;
  if (const Status status = services_.entropy.fill(std::as_writable_bytes(std::span(&seed, 1)));
      status != Status::ok)
    return status;
  const auto network = Network::make(kWidths, Loss::cross_entropy, kFormats);
  if (!network.ok()) return network.status();
  network_ = network.value();
  network_.layout(layout_);
  digits_ = Digits(seed);
  if (const Status status = begin(seed); status != Status::ok) return status;
  restored_ = agent_.restore(services_.store, services_.clock.now());
  // Nothing of use was saved: it begins, and takes over the model of the first that it meets.
  if (restored_ != Status::ok) {
    if (const Status status = begin(seed); status != Status::ok) return status;
  }
  link_.open(*this);
  return agent_.add_peer(kPeer, link_.traits());
}

Status Node::begin(std::uint64_t seed) noexcept {
  const Time now = services_.clock.now();
  step_due_ = now;
  save_due_ = now + kSaveEvery;
  model_ = {};
  const FixedBatchSource source{
      [](void* digits) noexcept -> const FixedBatch& { return static_cast<Digits*>(digits)->next(); },
      &digits_};
  return agent_.init(config(seed), model_, layout_, network_.gradient(1), source,
                     {.eta = {.mantissa = 3U << 29, .shift = 35}}, scratch_, workspace_, now);  // 3/64
}

Time Node::turn() noexcept {
  const Time now = services_.clock.now();
  link_.pump();
  if (step_due_.reached(now)) {
    static_cast<void>(agent_.step());
    step_due_ = now + kStepEvery;
  }
  if (save_due_.reached(now)) {
    static_cast<void>(save());  // if it fails, learning goes on without
    save_due_ = now + kSaveEvery;
  }
  send();
  return earlier(earlier(step_due_, save_due_), agent_.deadline(now));
}

/// All that the agent has to say, as far as the link has room.
void Node::send() noexcept {
  const Time now = services_.clock.now();
  while (true) {
    if (waiting_ == 0) {
      const auto out = agent_.send(frame_, now);
      if (!out) return;
      waiting_ = out->size;
    }
    if (link_.send(std::span(frame_).first(waiting_)) == Status::no_room) return;  // until writable()
    waiting_ = 0;
  }
}

std::size_t Node::read_right(std::size_t digits) noexcept {
  std::size_t right = 0;
  for (std::size_t k = 0; k < digits; ++k)
    right += network_.evaluate(model_, digits_.next(), scratch_).correct;
  return right;
}

void Node::received(Link&, std::span<const std::byte> frame) noexcept {
  agent_.receive(kPeer, frame, services_.clock.now());
}

void Node::writable(Link&) noexcept {
  send();
}

void Node::closed(Link&) noexcept {
  agent_.remove_peer(kPeer);
}

}  // namespace firmware
