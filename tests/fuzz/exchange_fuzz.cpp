// Two agents, and between them whoever writes the script (exchange_script.h): frames are delivered in any order, twice,
// flipped or not at all, forged in the name of the exchange, and time passes. The models stay finite and within
// the guard's limit, each agent has one exchange at most, and everyone's next deadline is near.
#include "codec/codec.h"
#include "codec/seal.h"
#include "exchange_script.h"

#include <popsgd/agent.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace {

using namespace popsgd;
using popsgd::test::Act;

constexpr std::size_t kParameters = 150;
constexpr float kLimit = 4;

void require(bool holds) {
  if (!holds) std::abort();
}

// Reads zeros behind the end.
class Script {
 public:
  explicit Script(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool ended() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return first;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct Packet {
  std::uint32_t from;
  std::vector<std::uint64_t> words;  // 8-aligned
  std::size_t size;

  [[nodiscard]] std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(words)).first(size); }
};

class Scene {
 public:
  Scene(bool blocking, bool quantised) {
    const auto nothing = [](const void*, ConstParams, const Batch&, float, float, Params, Scratch) noexcept {
      return 0.0F;
    };
    for (std::uint32_t k = 0; k < 2; ++k) {
      AgentConfig config;
      config.seed = 7 + k;
      config.fresh = false;
      config.averaging = blocking ? Averaging::blocking : Averaging::non_blocking;
      config.local_steps = 1;
      config.mean_wait = 0;
      config.block_length = 60;
      config.largest_frame = 256;
      config.guarding.limit = kLimit;
      if (quantised) config.quantise = {.width = Width::fixed, .bits = 3, .rotate = blocking};
      models_[k].assign(kParameters, k == 0 ? 1.0F : -1.0F);
      workspaces_[k].resize(Agent::workspace_size(config, kParameters) / 8 + 1);
      const Gradient gradient{.function = nothing, .parameters = kParameters, .in_place = true};
      const BatchSource source{
          [](void* batch) noexcept -> const Batch& { return *static_cast<Batch*>(batch); }, &batch_};
      require(agents_[k].init(config, models_[k], gradient, source, {}, {},
                              std::as_writable_bytes(std::span(workspaces_[k])), now_) == Status::ok);
      require(agents_[k].add_peer(PeerId{1 - k}, {.mtu = 256}) == Status::ok);
    }
  }

  void act(Script& script) {
    switch (static_cast<Act>(script.byte() % static_cast<int>(Act::count))) {
      case Act::deliver:
        return deliver(take(script.byte()));
      case Act::repeat:
        return deliver(look(script.byte()));
      case Act::lose:
        static_cast<void>(take(script.byte()));
        return;
      case Act::corrupt:
        return corrupt(script);
      case Act::wait:
        now_ = now_ + 16U * script.byte();
        now_ = now_ + 4096U * script.byte();
        return;
      case Act::meet: {
        const std::uint32_t who = script.byte() % 2;
        static_cast<void>(agents_[who].meet(PeerId{1 - who}, now_));
        return;
      }
      case Act::forge:
        return forge(script);
      case Act::junk:
      case Act::count:
        return junk(script);
    }
  }

  // What the agents have to say; and what must hold whatever they were told.
  void settle() {
    for (std::uint32_t k = 0; k < 2; ++k) {
      std::vector<std::uint64_t> words(32);
      for (int frames = 0; const auto out = agents_[k].send(std::as_writable_bytes(std::span(words)), now_);
           ++frames) {
        require(frames < 100 && out->to == PeerId{1 - k});
        learn(std::as_bytes(std::span(words)).first(out->size));
        if (flying_.size() < 64) flying_.push_back({k, words, out->size});
      }
      const AgentMetrics& metrics = agents_[k].metrics();
      require(metrics.begun - metrics.completed - metrics.cut_short <= 1);
      require(agents_[k].deadline(now_).since(now_) > 0);  // all that is due has been sent
      for (const float x : models_[k]) require(std::fabs(x) <= kLimit * 1.0001F);
    }
  }

 private:
  // The name of the exchange under way, as whoever listens knows it.
  void learn(std::span<const std::byte> bytes) {
    const auto body = codec::unseal(bytes);
    require(body.has_value());
    const auto frame = codec::decode(*body);
    require(frame.ok());
    name_ = frame->exchange;
  }

  Packet look(std::uint8_t which) { return flying_.empty() ? Packet{} : flying_[which % flying_.size()]; }
  Packet take(std::uint8_t which) {
    if (flying_.empty()) return {};
    const auto place = flying_.begin() + static_cast<std::ptrdiff_t>(which % flying_.size());
    Packet packet = std::move(*place);
    flying_.erase(place);
    return packet;
  }

  void deliver(Packet packet) {
    if (packet.size > 0) agents_[1 - packet.from].receive(PeerId{packet.from}, packet.bytes(), now_);
  }

  void corrupt(Script& script) {
    Packet packet = take(script.byte());
    const std::uint8_t place = script.byte();
    const auto mask = static_cast<std::byte>(script.byte());
    if (packet.size > 0) {
      packet.bytes()[place % packet.size] ^= mask;
      // Every other one with a seal that fits: then it is no accident.
      if (place % 2 == 0) static_cast<void>(codec::seal(packet.bytes(), packet.size - codec::kSeal));
    }
    deliver(std::move(packet));
  }

  void forge(Script& script) {
    const std::uint32_t to = script.byte() % 2;
    codec::Frame frame{.kind = static_cast<codec::Kind>(1 + script.byte() % 10), .exchange = name_};
    frame.block = script.byte() % 4;
    frame.chunk = script.byte() % 4;
    frame.code = script.byte();
    const std::array<std::byte, 48> data{};
    if (frame.kind >= codec::Kind::state) frame.exchange += script.byte() % 4;
    frame.data = std::span(data).first(1 + script.byte() % data.size());
    frame.acknowledgement = codec::Acknowledgement{frame.block, frame.chunk, frame.code};
    frame.handshake = {
        .nonce = name_, .parameters = kParameters, .block_length = 60, .mtu = 256, .window = 4};
    Packet packet{1 - to, std::vector<std::uint64_t>(32), 0};
    packet.size = 256;
    const auto encoded = codec::encode(frame, packet.bytes().first(packet.size - codec::kSeal));
    if (!encoded.ok()) return;
    packet.size = codec::seal(packet.bytes(), encoded->size());
    deliver(std::move(packet));
  }

  void junk(Script& script) {
    const std::uint32_t to = script.byte() % 2;
    Packet packet{1 - to, std::vector<std::uint64_t>(32), std::size_t{script.byte()}};
    for (std::byte& byte : packet.bytes()) byte = static_cast<std::byte>(script.byte());
    if (packet.size >= codec::kSeal)
      static_cast<void>(codec::seal(packet.bytes(), packet.size - codec::kSeal));
    deliver(std::move(packet));
  }

  Time now_{0xFFFFFF00U};
  Batch batch_{};
  std::array<std::vector<float>, 2> models_;
  std::array<std::vector<std::uint64_t>, 2> workspaces_;
  std::array<Agent, 2> agents_;
  std::vector<Packet> flying_;
  std::uint64_t name_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script({data, size});
  Scene scene(size % 2 == 0, size % 4 >= 2);
  scene.settle();
  for (int acts = 0; acts < 400 && !script.ended(); ++acts) {
    scene.act(script);
    scene.settle();
  }
  return 0;
}
