#include "board/pipe_link.h"

#include <algorithm>

namespace popsgd::board {

Status PipeLink::send(std::span<const std::byte> frame) noexcept {
  if (closing_) return Status::link_closed;
  if (frame.empty() || frame.size() > kMtu) return Status::invalid_size;
  if (out_begin_ < out_end_) {
    refused_ = true;
    return Status::no_room;
  }
  out_[0] = static_cast<std::byte>(frame.size() & 0xFF);
  out_[1] = static_cast<std::byte>(frame.size() >> 8);
  std::ranges::copy(frame, out_.begin() + kLength);
  out_begin_ = 0;
  out_end_ = kLength + frame.size();
  flush();
  return Status::ok;
}

void PipeLink::poll() noexcept {
  if (closed_) return;
  while (!closing_ && receive()) {
  }
  flush();
  if (!closing_ && refused_ && out_begin_ == out_end_) {
    refused_ = false;
    user_.writable(*this);
  }
  if (closing_) {
    closed_ = true;
    user_.closed(*this);
  }
}

void PipeLink::flush() noexcept {
  while (out_begin_ < out_end_) {
    const std::size_t count = pipe_.write(std::span(out_).subspan(out_begin_, out_end_ - out_begin_));
    if (count == 0) return;
    out_begin_ += count;
  }
}

/// Takes what has come, up to the end of a frame; whether there may be more.
bool PipeLink::receive() noexcept {
  if (in_count_ < kLength) {
    const std::size_t count = pipe_.read(std::span(length_).subspan(in_count_));
    in_count_ += count;
    return count > 0;
  }
  const std::size_t length =
      std::to_integer<std::size_t>(length_[0]) | std::to_integer<std::size_t>(length_[1]) << 8;
  if (length == 0 || length > kMtu) {  // out of step; nothing that follows can be trusted
    closing_ = true;
    return false;
  }
  const std::size_t have = in_count_ - kLength;
  const std::size_t count = pipe_.read(std::span(in_).subspan(have, length - have));
  in_count_ += count;
  if (have + count == length) {
    in_count_ = 0;
    user_.received(*this, std::span(in_).first(length));
  }
  return count > 0;
}

}  // namespace popsgd::board
