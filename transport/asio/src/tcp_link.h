// One peer over TCP.
#pragma once

#include "frame_stream.h"

#include <popsgd/address.h>
#include <popsgd/asio/tcp.h>
#include <popsgd/link.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>

namespace popsgd::net {

/// Frames that the system has not taken yet, with their lengths, one behind the other.
class SendQueue {
 public:
  [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::span(bytes_).subspan(begin_); }
  void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void drop(std::size_t count) {
    begin_ += count;
    if (begin_ < bytes_.size() / 2) return;
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;
};

/// Kept by its session, serve(), until that ends. What runs meanwhile asks open() after every wait and every call of the user.
class TcpLink final : public Link, public std::enable_shared_from_this<TcpLink> {
 public:
  TcpLink(asio::ip::tcp::socket socket, const Address& remote, bool dialled, const TcpOptions& options);

  [[nodiscard]] LinkTraits traits() const noexcept override { return {options_.mtu, true}; }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override;
  void close() noexcept override;

  /// Hands frames to `user` until the link is over; the answer: a length made no sense.
  asio::awaitable<bool> serve(LinkUser& user);

  [[nodiscard]] bool open() const { return open_; }
  [[nodiscard]] const Address& remote() const { return remote_; }
  [[nodiscard]] bool dialled() const { return dialled_; }
  /// When the last whole frame came, or the link began.
  [[nodiscard]] Time heard() const { return heard_; }
  /// It has begun a frame and not ended it, or takes nothing of what is queued, for `ms`.
  [[nodiscard]] bool stalled(Time now, std::uint32_t ms) const;

 private:
  bool deliver();
  bool hand_over();
  void write(std::span<const std::byte> prefix, std::span<const std::byte> frame);
  void keep(std::size_t sent, std::span<const std::byte> prefix, std::span<const std::byte> frame);
  void push();
  void end();
  static asio::awaitable<void> flush(std::shared_ptr<TcpLink> link);

  const TcpOptions options_;
  asio::ip::tcp::socket socket_;
  const Address remote_;
  const bool dialled_;
  bool open_ = true;

  LinkUser* user_ = nullptr;
  FrameStream in_;
  Time heard_ = Loop::now();

  SendQueue out_;
  bool delivering_ = false;  // short frames are kept, to leave together
  bool more_ = false;        // the system was told that more follows
  bool flushing_ = false;    // the system takes no more at this moment
  bool full_ = false;        // the user waits for writable()
  Time taken_{};             // when the system last took something of the queue
};

}  // namespace popsgd::net
