// The swarm's key as discovery asks for it.
#pragma once

#include <popsgd/discovery/beacon_key.h>
#include <popsgd/secure/context.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::command {

/// The beacon keys of the current epoch and the one before, overwritten at their end.
class BeaconKeys final : public discovery::BeaconKey {
 public:
  explicit BeaconKeys(const secure::SwarmKeys& keys);
  ~BeaconKeys();
  BeaconKeys(const BeaconKeys&) = delete;
  BeaconKeys& operator=(const BeaconKeys&) = delete;
  BeaconKeys(BeaconKeys&&) = delete;
  BeaconKeys& operator=(BeaconKeys&&) = delete;

  [[nodiscard]] std::uint16_t epoch() const noexcept override { return keys_[0].epoch; }
  [[nodiscard]] bool accepts(std::uint16_t epoch) const noexcept override { return find(epoch) != nullptr; }
  [[nodiscard]] discovery::BeaconCode code(std::span<const std::byte> message) noexcept override;
  [[nodiscard]] bool verify(std::uint16_t epoch, std::span<const std::byte> message,
                            const discovery::BeaconCode& code) noexcept override;

 private:
  struct Key {
    std::uint16_t epoch;  // its lower half
    secure::Key key;
  };
  [[nodiscard]] const Key* find(std::uint16_t epoch) const;

  std::array<Key, 2> keys_{};
  std::size_t count_ = 1;
};

}  // namespace popsgd::command
