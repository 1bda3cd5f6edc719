// Learns y = 2 x0 - x1 from a sensor, in integers of 16 bits, and averages its model with whoever is at the other end of Serial1.
#include <popsgd/agent.h>
#include <popsgd/fixed_network.h>
#include <popsgd/serial/serial_link.h>

#include <Arduino.h>

using namespace popsgd;
using Regression = FixedNetwork<int16_t, int16_t>;

constexpr uint16_t kMtu = 256;
constexpr std::array<uint32_t, 2> kWidths{2, 1};
constexpr std::array<LayerFormat, 1> kFormats{{{12, 12, 0}}};

Regression regression;
std::array<int16_t, 3> weights{};
std::array<Tensor, 2> layout{};
std::array<int32_t, 8> scratch{};
alignas(8) std::array<std::byte, 4096> workspace{};
alignas(8) std::array<std::byte, kMtu> frame{};
alignas(8) std::array<std::byte, serial::SerialLink::memory_size(kMtu, 1)> line{};
Agent agent;
bool ready = false;
std::array<int16_t, 2> features{};
std::array<int16_t, 1> target{};
FixedBatch batch{};

// Put your sensor here. Values are in units of 1/256.
const FixedBatch& measure(void*) noexcept {
  features = {static_cast<int16_t>(random(-256, 256)), static_cast<int16_t>(random(-256, 256))};
  target = {static_cast<int16_t>(2 * features[0] - features[1])};
  batch = {1, features, 8, {}, target, 8};
  return batch;
}

std::size_t write(void*, std::span<const std::byte> bytes) noexcept {
  const std::size_t room = Serial1.availableForWrite();
  return Serial1.write(reinterpret_cast<const uint8_t*>(bytes.data()), std::min(room, bytes.size()));
}

struct User final : LinkUser {
  void received(Link&, std::span<const std::byte> bytes) noexcept override {
    agent.receive(PeerId{0}, bytes, Time(millis()));
  }
  void writable(Link&) noexcept override {}
  void closed(Link&) noexcept override {}
};
User user;
serial::SerialLink wire(kMtu, {write, nullptr}, line);

void setup() {
  Serial.begin(115200);
  Serial1.begin(115200);
  regression = Regression::make(kWidths, Loss::squared, kFormats).value();
  regression.layout(layout);
  AgentConfig config;
  config.seed = micros();  // better: your board's generator of random numbers
  config.fingerprint = 1;  // of model and swarm: devices that differ in it do not meet
  config.largest_frame = kMtu;
  config.window = 1;
  config.peers = 1;
  config.finished = 2;
  config.guarding.gate = false;  // a single partner, at a wire of one's own
  const Status status = agent.init(config, weights, layout, regression.gradient(1), {measure, nullptr}, {},
                                   scratch, workspace, Time(millis()));
  ready = status == Status::ok;
  if (!ready) {
    Serial.println(text(status).data());
    return;
  }
  wire.open(user);
  static_cast<void>(agent.add_peer(PeerId{0}, wire.traits()));
}

void loop() {
  if (!ready) return;
  std::array<std::byte, 64> bytes;
  std::size_t count = 0;
  while (count < bytes.size() && Serial1.available() > 0)
    bytes[count++] = static_cast<std::byte>(Serial1.read());
  wire.feed(std::span(bytes).first(count));
  wire.pump();
  static uint32_t step_due = 0;
  if (static_cast<int32_t>(millis() - step_due) >= 0) {
    static_cast<void>(agent.step());
    step_due = millis() + 100;
  }
  if (wire.pending() == 0)
    if (const auto out = agent.send(frame, Time(millis())))
      static_cast<void>(wire.send(std::span(frame).first(out->size)));
}
