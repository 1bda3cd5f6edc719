#include "membership.h"

#include <popsgd/secure/key_schedule.h>

#include <span>

popsgd::Status firmware::use(const SwarmKey& key, popsgd::secure::Context& context) noexcept {
  using namespace popsgd;
  secure::SwarmKeys keys;
  Status status = secure::derive(key.bytes, key.epoch, keys.current);
  if (status == Status::ok) status = secure::derive(key.bytes, key.epoch - 1, keys.previous.emplace());
  if (status == Status::ok) status = context.use(keys);
  secure::forget(std::as_writable_bytes(std::span(&keys.current, 1)));
  if (keys.previous) secure::forget(std::as_writable_bytes(std::span(&*keys.previous, 1)));
  return status;
}
