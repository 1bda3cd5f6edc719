// Turns pointers into spans and callbacks into objects, checks them, and calls the link.
#include <popsgd/c/serial.h>
#include <popsgd/serial/serial_link.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

using popsgd::Link;
using popsgd::LinkUser;
using popsgd::Status;
using popsgd::serial::SerialLink;

// The link, before it whom it writes to and who reads it, and behind it its memory.
// NOLINTNEXTLINE(readability-identifier-naming, cppcoreguidelines-virtual-class-destructor)
struct popsgd_serial final : LinkUser {
  popsgd_serial(std::uint16_t mtu, const popsgd_serial_port& to, std::span<std::byte> memory) noexcept
      : port(to), link(mtu, {write, &port}, memory) {}

  void received(Link&, std::span<const std::byte> frame) noexcept override {
    user.received(user.context, this, frame.data(), frame.size());
  }
  void writable(Link&) noexcept override {
    if (user.writable != nullptr) user.writable(user.context, this);
  }
  void closed(Link&) noexcept override {
    const popsgd_serial_user told = user;
    user = {};  // before the call, which may open the link anew
    if (told.closed != nullptr) told.closed(told.context, this);
  }
  /// Somebody has opened it, and has not been told yet that it is over.
  [[nodiscard]] bool opened() const { return user.received != nullptr; }

  popsgd_serial_port port;
  popsgd_serial_user user{};
  SerialLink link;

 private:
  static std::size_t write(void* context, std::span<const std::byte> bytes) noexcept {
    const auto& to = *static_cast<const popsgd_serial_port*>(context);
    return std::min(to.write(to.context, bytes.data(), bytes.size()), bytes.size());
  }
};

namespace {

constexpr std::size_t kAlignment = 8;  // of frames, which begin where the link's memory does
constexpr std::size_t kObject = (sizeof(popsgd_serial) + kAlignment - 1) / kAlignment * kAlignment;

static_assert(alignof(popsgd_serial) <= kAlignment && std::is_trivially_destructible_v<popsgd_serial>);

constexpr bool enough(std::uint16_t mtu, std::size_t frames) {
  return 8 * POPSGD_SERIAL_WORDS(mtu, frames) >= kObject + SerialLink::memory_size(mtu, frames);
}
static_assert(enough(256, 1) && enough(300, 3) && enough(503, 1) && enough(504, 2) && enough(65535, 9));

constexpr popsgd_status code(Status status) {
  return static_cast<popsgd_status>(status);
}

std::span<const std::byte> bytes_of(const void* bytes, std::size_t count) {
  return {static_cast<const std::byte*>(bytes), count};
}

}  // namespace

popsgd_status popsgd_serial_init(popsgd_serial** link, uint16_t mtu, const popsgd_serial_port* port,
                                 void* memory, size_t size) {
  if (link == nullptr) return code(Status::null_pointer);
  *link = nullptr;
  if (port == nullptr || memory == nullptr) return code(Status::null_pointer);
  if (port->write == nullptr) return code(Status::no_function);
  if (mtu < POPSGD_SERIAL_LEAST_MTU) return code(Status::invalid_size);
  if (reinterpret_cast<std::uintptr_t>(memory) % kAlignment != 0 || size < 8 * POPSGD_SERIAL_WORDS(mtu, 1))
    return code(Status::scratch_too_small);
  const std::span all(static_cast<std::byte*>(memory), size);
  *link = std::construct_at(static_cast<popsgd_serial*>(memory), mtu, *port, all.subspan(kObject));
  return POPSGD_OK;
}

popsgd_status popsgd_serial_open(popsgd_serial* link, const popsgd_serial_user* user) {
  if (link == nullptr || user == nullptr) return code(Status::null_pointer);
  if (user->received == nullptr) return code(Status::no_function);
  link->user = *user;
  link->link.open(*link);
  return POPSGD_OK;
}

popsgd_status popsgd_serial_send(popsgd_serial* link, const void* frame, size_t size) {
  if (link == nullptr || frame == nullptr) return code(Status::null_pointer);
  return code(link->link.send(bytes_of(frame, size)));
}

popsgd_status popsgd_serial_feed(popsgd_serial* link, const void* bytes, size_t count) {
  if (link == nullptr || (bytes == nullptr && count > 0)) return code(Status::null_pointer);
  link->link.feed(bytes_of(bytes, count));
  return POPSGD_OK;
}

popsgd_status popsgd_serial_pump(popsgd_serial* link) {
  if (link == nullptr) return code(Status::null_pointer);
  link->link.pump();
  return POPSGD_OK;
}

bool popsgd_serial_wants_pump(const popsgd_serial* link) {
  return link != nullptr && link->opened() && (link->link.pending() > 0 || link->link.over());
}

void popsgd_serial_close(popsgd_serial* link) {
  if (link != nullptr) link->link.close();
}

void popsgd_serial_counted(const popsgd_serial* link, popsgd_serial_counts* counts) {
  if (link == nullptr || counts == nullptr) return;
  const auto& from = link->link.metrics();
  *counts = {from.received, from.damaged, from.overlong};
}
