#include <popsgd/assert.h>
#include <popsgd/crc32c.h>
#include <popsgd/serial/serial_link.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace popsgd::serial {
namespace {

std::array<std::byte, 4> crc_of(std::span<const std::byte> frame) noexcept {
  const std::uint32_t crc = crc32c(frame);
  std::array<std::byte, 4> bytes{};
  for (std::size_t k = 0; k < 4; ++k) bytes[k] = static_cast<std::byte>(crc >> 8 * k);
  return bytes;
}

}  // namespace

SerialLink::SerialLink(std::uint16_t mtu, Port port, std::span<std::byte> memory) noexcept
    : mtu_(mtu),
      port_(port),
      in_(memory.first(in_size(mtu)).first(max_encoded_size(mtu + kCrc))),
      out_(memory.subspan(in_size(mtu))) {
  POPSGD_ASSERT(out_.size() >= out_size(mtu));
}

void SerialLink::open(LinkUser& user) noexcept {
  user_ = &user;
  metrics_ = {};
  length_ = begin_ = end_ = 0;
  over_ = too_long_ = full_ = false;
}

// --- what goes out

// A port that was at rest may have picked up noise: a 0 in front ends that.
Status SerialLink::send(std::span<const std::byte> frame) noexcept {
  if (over_) return Status::link_closed;
  if (frame.empty() || frame.size() > mtu_) return Status::invalid_size;
  const bool at_rest = pending() == 0;
  if (at_rest) begin_ = end_ = 0;
  if (out_.size() - pending() < max_encoded_size(frame.size() + kCrc) + 2) {
    full_ = true;
    return Status::no_room;
  }
  if (out_.size() - end_ < out_size(mtu_)) {
    std::memmove(out_.data(), out_.data() + begin_, pending());
    end_ -= begin_;
    begin_ = 0;
  }
  if (at_rest) out_[end_++] = std::byte{0};
  CobsEncoder encoder(out_.subspan(end_));
  encoder.add(frame);
  encoder.add(crc_of(frame));
  end_ += encoder.finish();
  out_[end_++] = std::byte{0};
  if (at_rest) write();
  return Status::ok;
}

void SerialLink::write() noexcept {
  while (pending() > 0) {
    const std::size_t taken = port_.write(port_.context, out_.subspan(begin_, pending()));
    if (taken == 0) return;
    begin_ += taken;
  }
}

void SerialLink::pump() noexcept {
  if (user_ == nullptr) return;
  if (!over_) write();
  if (!over_ && full_ && out_.size() - pending() >= out_size(mtu_)) {
    full_ = false;
    user_->writable(*this);
  }
  if (!over_) return;
  LinkUser* const user = user_;
  user_ = nullptr;
  begin_ = end_ = 0;
  user->closed(*this);
}

// --- what comes in

void SerialLink::feed(std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty() && !over_) {
    const auto zero = std::ranges::find(bytes, std::byte{0});
    const auto count = static_cast<std::size_t>(zero - bytes.begin());
    take(bytes.first(count));
    if (zero == bytes.end()) return;
    end_frame();
    bytes = bytes.subspan(count + 1);
  }
}

void SerialLink::take(std::span<const std::byte> bytes) noexcept {
  too_long_ = too_long_ || bytes.size() > in_.size() - length_;
  if (too_long_) return;
  std::ranges::copy(bytes, in_.begin() + static_cast<std::ptrdiff_t>(length_));
  length_ += bytes.size();
}

void SerialLink::end_frame() noexcept {
  const auto encoded = in_.first(length_);
  length_ = 0;
  if (too_long_) {
    too_long_ = false;
    ++metrics_.overlong;
    return;
  }
  if (encoded.empty()) return;  // two 0 in a row
  const auto size = cobs_decode(encoded);
  if (!size || *size <= kCrc || crc32c(encoded.first(*size)) != kCrc32cResidue) {
    ++metrics_.damaged;
  } else if (*size - kCrc > mtu_) {
    ++metrics_.overlong;
  } else {
    ++metrics_.received;
    user_->received(*this, encoded.first(*size - kCrc));
  }
}

}  // namespace popsgd::serial
