#include <popsgd/asio/error.h>
#include <popsgd/asio/serial_port.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace popsgd::net {
namespace {

using asio::posix::stream_descriptor;

[[noreturn]] void fail(int descriptor, const std::string& path, const std::string& why) {
  if (descriptor >= 0) ::close(descriptor);
  throw Error("cannot open the serial port '" + path + "': " + why);
}

std::string cause(int error) {
  switch (error) {
    case ENOENT:
      return "there is no such device; is it plugged in? `ls /dev/tty*` shows those there are";
    case EACCES:
      return "the system does not permit it; most have a group for it, e.g. `usermod -aG dialout USER`";
    case EBUSY:
      return "another program has it";
    case ENOTTY:
      return "it is no serial port";
    default:
      return std::strerror(error);
  }
}

int open_raw(const std::string& path, std::uint32_t baud) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) fail(descriptor, path, cause(errno));
  termios settings{};
  if (::tcgetattr(descriptor, &settings) != 0) fail(descriptor, path, cause(errno));
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  settings.c_cflag &= ~static_cast<tcflag_t>(CSTOPB | CRTSCTS);
  if (::cfsetspeed(&settings, baud) != 0)
    fail(descriptor, path, std::to_string(baud) + " is none of the system's rates; try 115200 or 9600");
  if (::tcsetattr(descriptor, TCSANOW, &settings) != 0) fail(descriptor, path, cause(errno));
  return descriptor;
}

}  // namespace

// Shared with the waits under way, which then ask whether it is over.
struct SerialPort::State : std::enable_shared_from_this<State> {
  State(Loop& loop, int open, SerialUser& whom) : descriptor(loop.context()), user(whom) {
    std::error_code error;
    descriptor.assign(open, error);
    if (!error) descriptor.non_blocking(true, error);
    if (error) fail(-1, "descriptor " + std::to_string(open), error.message());
  }

  using Shared = std::shared_ptr<State>;
  static asio::awaitable<void> read(Shared self);
  static asio::awaitable<void> await_room(Shared self);
  void lost(const std::error_code& error);

  stream_descriptor descriptor;
  SerialUser& user;
  bool full = false;
  bool over = false;
};

SerialPort::SerialPort(Loop& loop, const std::string& path, std::uint32_t baud, SerialUser& user)
    : SerialPort(loop, open_raw(path, baud), user) {}

SerialPort::SerialPort(Loop& loop, int descriptor, SerialUser& user)
    : state_(std::make_shared<State>(loop, descriptor, user)) {
  asio::co_spawn(loop.context(), State::read(state_), asio::detached);
}

SerialPort::~SerialPort() {
  state_->over = true;
  std::error_code ignored;
  state_->descriptor.close(ignored);
}

asio::awaitable<void> SerialPort::State::read(Shared self) {
  alignas(8) std::array<std::byte, 4096> bytes;
  while (!self->over) {
    std::error_code error;
    const std::size_t count = co_await self->descriptor.async_read_some(
        asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    if (self->over) break;
    if (error)
      self->lost(error);
    else
      self->user.bytes(std::span(bytes).first(count));
  }
}

std::size_t SerialPort::write(std::span<const std::byte> bytes) noexcept {
  if (state_->over) return 0;
  std::error_code error;
  const std::size_t count = state_->descriptor.write_some(asio::buffer(bytes.data(), bytes.size()), error);
  if (count < bytes.size() && !state_->full) {
    state_->full = true;
    asio::co_spawn(state_->descriptor.get_executor(), State::await_room(state_), asio::detached);
  }
  return count;
}

// If the port is broken, reading says so.
asio::awaitable<void> SerialPort::State::await_room(Shared self) {
  std::error_code error;
  co_await self->descriptor.async_wait(stream_descriptor::wait_write,
                                       asio::redirect_error(asio::use_awaitable, error));
  self->full = false;
  if (!self->over && !error) self->user.writable();
}

void SerialPort::State::lost(const std::error_code& error) {
  over = true;
  std::error_code ignored;
  descriptor.close(ignored);
  user.lost("the serial port is gone: " + error.message());
}

}  // namespace popsgd::net
