#include <popsgd/assert.h>
#include <popsgd/loopback/loopback.h>

#include <cstring>

namespace popsgd::loopback {

Loopback::Loopback(std::uint16_t mtu, std::span<std::byte> memory) noexcept {
  const std::size_t half = memory.size() / 2 / 8 * 8;
  for (std::size_t k = 0; k < 2; ++k) {
    ends_[k].mtu_ = mtu;
    ends_[k].peer_ = &ends_[1 - k];
    ends_[k].slots_ = memory.subspan(k * half, half);
    ends_[k].capacity_ = half / slot_size(mtu);
    POPSGD_ASSERT(ends_[k].capacity_ > 0);
  }
}

void Loopback::open(LinkUser& first, LinkUser& second) noexcept {
  ends_[0].user_ = &first;
  ends_[1].user_ = &second;
  for (End& end : ends_) {
    end.first_ = end.count_ = 0;
    end.full_ = end.over_ = false;
  }
}

std::byte* Loopback::End::slot(std::size_t number) const noexcept {
  return slots_.data() + (first_ + number) % capacity_ * slot_size(mtu_);
}

Status Loopback::End::send(std::span<const std::byte> frame) noexcept {
  if (over_) return Status::link_closed;
  if (frame.empty() || frame.size() > mtu_) return Status::invalid_size;
  if (peer_->count_ == peer_->capacity_) {
    full_ = true;
    return Status::no_room;
  }
  std::byte* const slot = peer_->slot(peer_->count_++);
  const auto length = static_cast<std::uint32_t>(frame.size());
  std::memcpy(slot, &length, sizeof(length));
  std::memcpy(slot + 8, frame.data(), frame.size());
  return Status::ok;
}

// What waits for this end.
bool Loopback::End::bring() noexcept {
  const std::size_t waiting = count_;
  for (std::size_t k = 0; k < waiting; ++k) {
    std::uint32_t length = 0;
    std::memcpy(&length, slot(0), sizeof(length));
    user_->received(*this, {slot(0) + 8, length});
    first_ = (first_ + 1) % capacity_;
    --count_;
  }
  return waiting > 0;
}

bool Loopback::deliver() noexcept {
  bool busy = false;
  for (End& end : ends_) busy = end.bring() || busy;
  for (End& end : ends_) {
    if (end.over_ || !end.full_ || end.peer_->count_ == end.peer_->capacity_) continue;
    end.full_ = false;
    busy = true;
    end.user_->writable(end);
  }
  for (End& end : ends_) {
    if (!end.over_ || end.user_ == nullptr) continue;
    busy = true;
    LinkUser* const user = end.user_;
    end.user_ = nullptr;
    end.count_ = 0;
    user->closed(end);
  }
  return busy;
}

}  // namespace popsgd::loopback
