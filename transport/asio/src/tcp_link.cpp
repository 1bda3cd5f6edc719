#include "tcp_link.h"

#include <algorithm>
#include <array>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace popsgd::net {
namespace {

// Answers to what has come in one piece leave in one, as long as they are no longer than this, bytes.
constexpr std::size_t kTogether = 16 * 1024;

// A frame as long as a segment, or a little longer, would leave as two: the rest of it waits for the next one.
#ifdef MSG_MORE
constexpr int kMoreFollows = MSG_MORE;
#else
constexpr int kMoreFollows = 0;
#endif

// A peer that went off without a word is noticed by the system, after about as long as one that stalls.
void watch_peer(asio::ip::tcp::socket& socket, std::uint32_t ms) {
  const auto set = [&socket](int level, int option, int value) {
    static_cast<void>(::setsockopt(socket.native_handle(), level, option, &value, sizeof(value)));
  };
  const int seconds = static_cast<int>(std::max(1U, ms / 4000));
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, seconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(ms));
}

}  // namespace

TcpLink::TcpLink(asio::ip::tcp::socket socket, const Address& remote, bool dialled, const TcpOptions& options)
    : options_(options), socket_(std::move(socket)), remote_(remote), dialled_(dialled), in_(options.mtu) {
  std::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  watch_peer(socket_, options.stall_timeout);
}

void TcpLink::close() noexcept {
  push();
  end();
}

void TcpLink::end() {
  open_ = false;
  std::error_code ignored;
  socket_.close(ignored);  // ends every wait
}

// --- what comes in

asio::awaitable<bool> TcpLink::serve(LinkUser& user) {
  user_ = &user;
  bool sound = true;
  while (open_ && sound) {
    const std::span<std::byte> room = in_.room();
    std::error_code error;
    const std::size_t count = co_await socket_.async_read_some(
        asio::buffer(room.data(), room.size()), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    if (!in_.amid_frame()) heard_ = Loop::now();  // a frame begins
    in_.put(count);
    sound = deliver();
  }
  close();
  co_return !sound;
}

bool TcpLink::deliver() {
  delivering_ = true;
  const bool sound = hand_over();
  delivering_ = false;
  push();
  return sound;
}

bool TcpLink::hand_over() {
  std::span<const std::byte> frame;
  while (open_) {
    switch (in_.next(frame)) {
      case FrameStream::State::incomplete:
        return true;
      case FrameStream::State::garbled:
        return false;
      case FrameStream::State::frame:
        break;
    }
    heard_ = Loop::now();
    user_->received(*this, frame);
  }
  return true;
}

bool TcpLink::stalled(Time now, std::uint32_t ms) const {
  const auto wait = static_cast<std::int32_t>(ms);
  return (in_.amid_frame() && now.since(heard_) >= wait) || (out_.size() > 0 && now.since(taken_) >= wait);
}

// --- what goes out

Status TcpLink::send(std::span<const std::byte> frame) noexcept {
  if (!open_) return Status::link_closed;
  if (frame.empty() || frame.size() > options_.mtu) return Status::invalid_size;
  const std::size_t size = out_.size() + kPrefix + frame.size();
  if (flushing_ && size > options_.queue) {
    full_ = true;
    return Status::no_room;
  }
  std::array<std::byte, kPrefix> prefix{};
  FrameStream::put_length(frame.size(), prefix.data());
  if (flushing_ || (delivering_ && size <= std::min(kTogether, options_.queue)))
    keep(0, prefix, frame);
  else
    write(prefix, frame);
  return open_ ? Status::ok : Status::link_closed;
}

// What was kept, then the frame; the rest is kept.
void TcpLink::write(std::span<const std::byte> prefix, std::span<const std::byte> frame) {
  const auto kept = out_.bytes();
  const std::array<asio::const_buffer, 3> all{asio::buffer(kept.data(), kept.size()),
                                              asio::buffer(prefix.data(), prefix.size()),
                                              asio::buffer(frame.data(), frame.size())};
  std::error_code error;
  const std::size_t sent = socket_.send(all, delivering_ ? kMoreFollows : 0, error);
  more_ = delivering_;
  if (error && error != asio::error::would_block) return end();
  const std::size_t of_kept = std::min(sent, kept.size());
  out_.drop(of_kept);
  keep(sent - of_kept, prefix, frame);
  if (out_.size() == 0) return;
  flushing_ = true;
  taken_ = Loop::now();
  asio::co_spawn(socket_.get_executor(), flush(shared_from_this()), asio::detached);
}

// But for the first `sent` bytes.
void TcpLink::keep(std::size_t sent, std::span<const std::byte> prefix, std::span<const std::byte> frame) {
  const std::size_t of_prefix = std::min(sent, prefix.size());
  out_.append(prefix.subspan(of_prefix));
  out_.append(frame.subspan(sent - of_prefix));
}

// What was kept, here or by the system.
void TcpLink::push() {
  if (!open_ || flushing_) return;
  std::error_code ignored;
  if (out_.size() > 0)
    write({}, {});
  else if (std::exchange(more_, false))
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

// Until the queue is empty. It may grow, and so move, during every wait.
asio::awaitable<void> TcpLink::flush(std::shared_ptr<TcpLink> link) {
  TcpLink& self = *link;
  while (self.out_.size() > 0) {
    std::error_code error;
    co_await self.socket_.async_wait(asio::ip::tcp::socket::wait_write,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (!self.open_) co_return;
    const auto bytes = self.out_.bytes();
    const std::size_t count = self.socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error == asio::error::would_block) continue;
    if (error) {
      self.end();
      co_return;
    }
    self.out_.drop(count);
    self.taken_ = Loop::now();
    if (self.full_ && self.out_.size() <= self.options_.queue / 2) {
      self.full_ = false;
      self.user_->writable(self);
      if (!self.open_) co_return;
    }
  }
  self.flushing_ = false;
}

}  // namespace popsgd::net
