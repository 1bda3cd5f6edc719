// A device that learns with the one at the other end of a wire: the main loop.
#pragma once

#include "board/pipe_link.h"

#include <popsgd/agent.h>
#include <popsgd/clock.h>
#include <popsgd/entropy.h>
#include <popsgd/network.h>
#include <popsgd/store.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace popsgd::board {

/// What the board measures, one row: features and what is to be told from them.
struct Sample {
  std::array<float, 4> features{};
  float target = 0;
};

/// PORT: where samples come from, a sensor say. Must not block.
using Sensor = Sample (*)(void* context) noexcept;

/// Everything the device needs, in one object with all of its memory: make it static. Its services must outlive it.
class Device final : public LinkUser {
 public:
  struct Services {
    Clock& clock;
    Entropy& entropy;
    Store& store;
    Pipe& wire;
    Sensor sensor = nullptr;
    void* context = nullptr;  ///< the sensor's
  };

  explicit Device(const Services& services) noexcept : services_(services), link_(services.wire, *this) {}

  /// Bytes that each region of the store must have.
  [[nodiscard]] static std::uint64_t checkpoint_size() noexcept;

  /// At power-on: goes on from the last checkpoint, or begins.
  [[nodiscard]] Status start() noexcept;

  /// One turn of the main loop. When the next is due if no byte comes before: until then the processor may sleep.
  Time turn() noexcept;

  [[nodiscard]] const Agent& agent() const noexcept { return agent_; }
  [[nodiscard]] ConstParams model() const noexcept { return model_; }
  /// What became of the last attempt to save. Learning goes on without; PORT: light a lamp.
  [[nodiscard]] Status saved() const noexcept { return saved_; }
  /// What start() found in the store: ok, no_checkpoint, or why what was there is of no use.
  [[nodiscard]] Status restored() const noexcept { return restored_; }

  void received(Link& link, std::span<const std::byte> frame) noexcept override;
  void writable(Link& link) noexcept override;
  void closed(Link& link) noexcept override;

 private:
  static constexpr PeerId kPeer{0};
  static constexpr std::uint32_t kStepEvery = 100;  // ms
  static constexpr std::uint32_t kPatience =
      2000;  // ms, with a link that is full: then the frame is lost, as any may be, and the agent's own timeouts go on
  static constexpr std::uint32_t kSaveEvery =
      3600000;  // ms: two slots that bear 10^4 erasures each last two years

  static AgentConfig config() noexcept;
  Status begin(std::uint64_t seed) noexcept;
  static const Batch& next_batch(void* device) noexcept;
  void send() noexcept;

  Services services_;
  PipeLink link_;
  Agent agent_;
  std::optional<Network> network_;

  std::array<float, 5> model_{};  // 4 weights and a bias
  std::array<float, 64> scratch_{};
  alignas(8) std::array<std::byte, 4096> workspace_{};
  alignas(8) std::array<std::byte, PipeLink::kMtu> frame_{};
  std::size_t waiting_ = 0;  // bytes of `frame_` that the link had no room for,
  Time waits_until_{};       // and until when they are offered to it again
  Sample sample_{};
  Batch batch_{};
  Time step_due_{};
  Time save_due_{};
  Status saved_ = Status::ok;
  Status restored_ = Status::no_checkpoint;
};

}  // namespace popsgd::board
