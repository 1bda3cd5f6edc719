#include "agent/beacon_keys.h"

#include <popsgd/secure/key_schedule.h>

namespace popsgd::command {

BeaconKeys::BeaconKeys(const secure::SwarmKeys& keys) {
  keys_[0] = {static_cast<std::uint16_t>(keys.current.epoch), keys.current.beacon};
  if (keys.previous)
    keys_[count_++] = {static_cast<std::uint16_t>(keys.previous->epoch), keys.previous->beacon};
}

BeaconKeys::~BeaconKeys() {
  for (Key& key : keys_) secure::forget(key.key);
}

const BeaconKeys::Key* BeaconKeys::find(std::uint16_t epoch) const {
  for (const Key& key : std::span(keys_).first(count_)) {
    if (key.epoch == epoch) return &key;
  }
  return nullptr;
}

discovery::BeaconCode BeaconKeys::code(std::span<const std::byte> message) noexcept {
  discovery::BeaconCode code{};
  if (secure::tag(keys_[0].key, message, std::as_writable_bytes(std::span(code))) != Status::ok) code = {};
  return code;
}

bool BeaconKeys::verify(std::uint16_t epoch, std::span<const std::byte> message,
                        const discovery::BeaconCode& code) noexcept {
  const Key* const key = find(epoch);
  return key != nullptr && secure::verify(key->key, message, std::as_bytes(std::span(code)));
}

}  // namespace popsgd::command
