// Frames of few words that wait to be sent.
#pragma once

#include "codec/frame.h"

#include <popsgd/link.h>

#include <array>
#include <cstdint>

namespace popsgd {

/// A frame of few words that is due to a peer: COMMIT, BUSY, REJECT or ABORT.
struct Reply {
  PeerId to{};
  codec::Kind kind = codec::Kind::abort;
  std::uint8_t code = 0;       ///< REJECT, ABORT
  std::uint16_t block = 0;     ///< COMMIT, ABORT
  std::uint16_t retry_ms = 0;  ///< BUSY
  std::uint64_t exchange = 0;
};

/// When there are too many, the peer will ask again.
class Replies {
 public:
  [[nodiscard]] bool push(const Reply& reply) {
    if (count_ == queue_.size()) return false;
    queue_[(first_ + count_) % queue_.size()] = reply;
    ++count_;
    return true;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// Of those that wait the first, until the next is pushed.
  [[nodiscard]] const Reply& pop() {
    const Reply& reply = queue_[first_];
    first_ = (first_ + 1) % queue_.size();
    --count_;
    return reply;
  }

 private:
  std::array<Reply, 4> queue_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace popsgd
