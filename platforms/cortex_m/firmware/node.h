// A device that learns to read digits, in integers of 16 bits, with the one at the other end of its serial line.
#pragma once

#include "digits.h"

#include <popsgd/agent.h>
#include <popsgd/clock.h>
#include <popsgd/entropy.h>
#include <popsgd/fixed_network.h>
#include <popsgd/serial/serial_link.h>
#include <popsgd/store.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace firmware {

/// What the board must bring.
struct Services {
  popsgd::Clock& clock;
  popsgd::Entropy& entropy;
  popsgd::Store& store;
  popsgd::serial::Port port;
};

/// All of the device and its memory, but for the stack: make it static.
class Node final : public popsgd::LinkUser {
 public:
  static constexpr std::uint16_t kMtu = 256;
  static constexpr std::size_t kParameters = (Digits::kPixels + 1) * Digits::kClasses;
  static constexpr std::uint32_t kStepEvery = 50;    ///< ms
  static constexpr std::uint32_t kMeetEvery = 2000;  ///< ms, on average
  static constexpr std::uint32_t kSaveEvery =
      600000;  ///< ms: 10,000 erasures of two slots last for four months

  explicit Node(const Services& services) noexcept;

  /// At power-on: goes on from the last checkpoint, or begins. no_entropy, or what Agent::init() says.
  [[nodiscard]] popsgd::Status start() noexcept;
  /// One turn of the main loop; when the next is due if no byte comes before.
  popsgd::Time turn() noexcept;
  /// Bytes have come along the line.
  void feed(std::span<const std::byte> bytes) noexcept { link_.feed(bytes); }
  /// Now, beside the times it does so by itself.
  [[nodiscard]] popsgd::Status save() noexcept { return agent_.save(services_.store); }

  /// Of so many digits that it has not learned from, those it reads right.
  [[nodiscard]] std::size_t read_right(std::size_t digits) noexcept;

  [[nodiscard]] const popsgd::Agent& agent() const noexcept { return agent_; }
  [[nodiscard]] popsgd::Agent& agent() noexcept { return agent_; }
  [[nodiscard]] std::span<const std::int16_t> model() const noexcept { return model_; }
  /// What start() found in the store.
  [[nodiscard]] popsgd::Status restored() const noexcept { return restored_; }

  void received(popsgd::Link& link, std::span<const std::byte> frame) noexcept override;
  void writable(popsgd::Link& link) noexcept override;
  void closed(popsgd::Link& link) noexcept override;

 private:
  using Network = popsgd::FixedNetwork<std::int16_t, std::int16_t>;
  static constexpr popsgd::PeerId kPeer{0};

  static popsgd::AgentConfig config(std::uint64_t seed) noexcept;
  popsgd::Status begin(std::uint64_t seed) noexcept;
  void send() noexcept;

  Services services_;
  alignas(8) std::array<std::byte, popsgd::serial::SerialLink::memory_size(kMtu, 1)> line_{};
  popsgd::serial::SerialLink link_;
  popsgd::Agent agent_;
  Network network_;
  Digits digits_{0};

  std::array<std::int16_t, kParameters> model_{};
  std::array<popsgd::Tensor, 2> layout_{};
  std::array<std::int32_t, 20> scratch_{};
  alignas(8) std::array<std::byte, 3072> workspace_{};
  alignas(8) std::array<std::byte, kMtu> frame_{};
  std::size_t waiting_ = 0;  // bytes of `frame_` that the link had no room for
  popsgd::Time step_due_{};
  popsgd::Time save_due_{};
  popsgd::Status restored_ = popsgd::Status::no_checkpoint;
};

}  // namespace firmware
