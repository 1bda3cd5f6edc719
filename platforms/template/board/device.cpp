#include "board/device.h"

namespace popsgd::board {
namespace {

// PORT: the model. This one is linear: four features, one output, learned by least squares. Any other is a callback
// (popsgd/gradient.h), or a network of integers (popsgd/fixed_network.h) where floats are slow.
constexpr std::array<std::uint32_t, 2> kWidths{4, 1};
constexpr std::size_t kParameters = 5;

// PORT: another number for another model or another swarm. Devices whose numbers differ do not exchange.
constexpr std::uint64_t kFingerprint = 0x74656D706C617465;

}  // namespace

AgentConfig Device::config() noexcept {
  AgentConfig config{.fingerprint = kFingerprint};
  config.schedule = {.shape = Schedule::Shape::inverse, .eta = 0.1F, .horizon = 2000};
  config.largest_frame = PipeLink::kMtu;
  config.window = 2;
  config.peers = 1;
  config.finished = 4;
  config.guarding.gate =
      false;  // one partner, at a wire of one's own: there are no others to tell how far is too far
  return config;
}

std::uint64_t Device::checkpoint_size() noexcept {
  return Agent::checkpoint_size(config(), kParameters);
}

Status Device::start() noexcept {
  std::uint64_t seed = 0;
  if (const Status status = services_.entropy.fill(std::as_writable_bytes(std::span(&seed, 1)));
      status != Status::ok)
    return status;
  const auto network = Network::make(kWidths, Loss::squared);
  if (!network.ok()) return network.status();
  network_ = network.value();
  if (const Status status = begin(seed); status != Status::ok) return status;

  restored_ = agent_.restore(services_.store, services_.clock.now());
  // Nothing saved, or nothing of use: begin, and take over the model of the first that is met. The swarm is the backup.
  if (restored_ != Status::ok) {
    if (const Status status = begin(seed); status != Status::ok) return status;
  }
  return agent_.add_peer(kPeer, link_.traits());
}

Status Device::begin(std::uint64_t seed) noexcept {
  const Time now = services_.clock.now();
  step_due_ = now;
  save_due_ = now + kSaveEvery;
  model_ = {};
  AgentConfig config = Device::config();
  config.seed = seed;
  return agent_.init(config, model_, network_->gradient(1), {next_batch, this}, {}, scratch_, workspace_,
                     now);
}

const Batch& Device::next_batch(void* device) noexcept {
  auto& self = *static_cast<Device*>(device);
  self.sample_ = self.services_.sensor(self.services_.context);
  self.batch_ = {.rows = 1, .features = self.sample_.features, .targets = {&self.sample_.target, 1}};
  return self.batch_;
}

Time Device::turn() noexcept {
  const Time now = services_.clock.now();
  link_.poll();
  if (step_due_.reached(now)) {
    static_cast<void>(agent_.step());  // none when it has settled: then it only averages
    step_due_ = now + kStepEvery;
  }
  if (save_due_.reached(now)) {
    saved_ = agent_.save(services_.store);
    save_due_ = now + kSaveEvery;
  }
  send();
  return earlier(earlier(step_due_, save_due_), waiting_ > 0 ? waits_until_ : agent_.deadline(now));
}

/// All that the agent has to say, as far as the link has room.
void Device::send() noexcept {
  const Time now = services_.clock.now();
  while (true) {
    if (waiting_ == 0) {
      const auto out = agent_.send(frame_, now);
      if (!out) return;
      waiting_ = out->size;
      waits_until_ = now + kPatience;
    }
    const bool full = link_.send(std::span(frame_).first(waiting_)) == Status::no_room;
    if (full && !waits_until_.reached(now)) return;  // until writable()
    waiting_ = 0;
  }
}

void Device::received(Link&, std::span<const std::byte> frame) noexcept {
  agent_.receive(kPeer, frame, services_.clock.now());
}

void Device::writable(Link&) noexcept {
  send();
}

// PORT: a wire that is plugged in again wants a new link. Without one the device goes on learning alone.
void Device::closed(Link&) noexcept {
  agent_.lost_peer(kPeer, services_.clock.now());
}

}  // namespace popsgd::board
