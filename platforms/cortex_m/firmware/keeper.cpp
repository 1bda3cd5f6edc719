#include "keeper.h"

namespace firmware {

using popsgd::Status;
using popsgd::Time;

Status Keeper::start() noexcept {
  due_ = clock_.now() + every_;
  if (const Status status = node_.start(); status != Status::ok) return status;
  restored_ = node_.restore(store_);
  // Nothing of use was saved: it begins, and takes over the model of the first that it meets.
  return restored_ == Status::ok ? Status::ok : node_.start();
}

Time Keeper::turn() noexcept {
  const Time now = clock_.now();
  if (due_.reached(now)) {
    static_cast<void>(save());  // if it fails, learning goes on without
    due_ = now + every_;
  }
  return due_;
}

}  // namespace firmware
