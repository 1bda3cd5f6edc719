// The project's end of TLS and DTLS over a bare socket, for other programs to speak with:
//
//     popsgd_secure_endpoint keys
//     popsgd_secure_endpoint listen|dial tcp|udp PORT psk
//     popsgd_secure_endpoint listen|dial tcp|udp PORT AUTHORITY CERTIFICATE KEY
//
// keys: prints the identity and the key that `psk` takes, as openssl wants them. listen: says "listening at PORT" (0: any), and
// lets one peer in. A frame that comes is printed and sent back; where it has dialled it says "hello" first, and goes when it is
// answered. Exits with 0 after a session, 1 without, and prints why.
#include "device/clock.h"
#include "device/entropy.h"

#include <popsgd/secure/gate.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace popsgd;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(2);
}

secure::SwarmKeys test_keys() {
  secure::Key key{};
  key.fill(std::byte{7});
  secure::SwarmKeys keys;
  if (secure::derive(key, 1, keys.current) != Status::ok) give_up("derive");
  return keys;
}

/// A connected socket, as it is: no length before what is sent.
class SocketLink final : public Link {
 public:
  SocketLink(int socket, bool stream) : socket_(socket), stream_(stream) {}
  [[nodiscard]] LinkTraits traits() const noexcept override {
    return {stream_ ? std::uint16_t{65535} : std::uint16_t{1200}, stream_};
  }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override {
    if (over_) return Status::link_closed;
    while (!frame.empty()) {
      const auto sent = ::send(socket_, frame.data(), frame.size(), MSG_NOSIGNAL);
      if (sent <= 0) return Status::link_closed;
      frame = frame.subspan(static_cast<std::size_t>(sent));
    }
    return Status::ok;
  }
  void close() noexcept override { over_ = true; }
  [[nodiscard]] bool over() const { return over_; }

 private:
  int socket_;
  bool stream_;
  bool over_ = false;
};

class Endpoint final : public secure::Listener, LinkUser {
 public:
  LinkUser& opened(Link& link, const Address&, bool dialled) noexcept override {
    std::puts("opened");
    met = true;
    dialled_ = dialled;
    if (dialled) static_cast<void>(link.send(std::as_bytes(std::span(std::string_view("hello\n")))));
    return *this;
  }
  void refused(const Address&, bool, secure::Refusal refusal) noexcept override {
    std::printf("refused: %.*s\n", static_cast<int>(text(refusal).size()), text(refusal).data());
    over = true;
  }
  void received(Link& link, std::span<const std::byte> frame) noexcept override {
    std::printf("received: %.*s", static_cast<int>(frame.size()),
                reinterpret_cast<const char*>(frame.data()));
    if (dialled_)
      link.close();
    else
      static_cast<void>(link.send(frame));
  }
  void writable(Link&) noexcept override {}
  void closed(Link&) noexcept override {
    std::puts("closed");
    over = true;
  }

  bool met = false;
  bool over = false;

 private:
  bool dialled_ = false;
};

sockaddr_in local(const char* port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  return at;
}
sockaddr* general(sockaddr_in& at) {
  return reinterpret_cast<sockaddr*>(&at);
}

// A socket that is connected to the one peer; over UDP whoever says something first.
int meet(bool listens, bool stream, const char* port) {
  int socket = ::socket(AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
  sockaddr_in at = local(port);
  if (!listens) return ::connect(socket, general(at), sizeof(at)) == 0 ? socket : -1;
  socklen_t size = sizeof(at);
  if (::bind(socket, general(at), size) != 0 || (stream && ::listen(socket, 1) != 0) ||
      ::getsockname(socket, general(at), &size) != 0)
    give_up("listen");
  std::printf("listening at %d\n", ntohs(at.sin_port));
  if (stream) return ::accept(socket, nullptr, nullptr);
  std::byte first;
  sockaddr_in from{};
  if (::recvfrom(socket, &first, 1, MSG_PEEK, general(from), &size) < 0) give_up("recvfrom");
  return ::connect(socket, general(from), size) == 0 ? socket : -1;
}

std::vector<std::byte> read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text.c_str(), text.size() + 1));
  return {bytes.begin(), bytes.end()};
}

Status take_keys(secure::Context& context, std::span<char* const> files) {
  if (files.size() < 3) return context.use(test_keys());
  const auto authority = read_file(files[0]);
  const auto own = read_file(files[1]);
  const auto key = read_file(files[2]);
  return context.use(secure::Certificates{.authority = authority, .own = own, .key = key, .swarm = "plants"});
}

int print_keys() {
  const secure::SwarmKeys keys = test_keys();
  std::printf("%.*s ", static_cast<int>(keys.current.identity.size()), keys.current.identity.data());
  for (const std::byte byte : keys.current.psk) std::printf("%02x", std::to_integer<unsigned>(byte));
  std::puts("");
  return 0;
}

}  // namespace

int main(int count, char** words) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::span arguments(words, static_cast<std::size_t>(count));
  if (count == 2 && std::string_view(words[1]) == "keys") return print_keys();
  if (count < 5) return std::fputs("listen|dial tcp|udp PORT psk | AUTHORITY CERTIFICATE KEY\n", stderr), 2;
  const bool listens = std::string_view(words[1]) == "listen";
  const bool stream = std::string_view(words[2]) == "tcp";
  device::KernelEntropy entropy;
  device::MonotonicClock clock;
  secure::Context context(entropy, clock);
  if (take_keys(context, arguments.subspan(4)) != Status::ok)
    return std::fputs("the keys cannot be used\n", stderr), 2;
  Endpoint endpoint;
  secure::Gate gate(context, endpoint);
  const int socket = meet(listens, stream, words[3]);
  if (socket < 0) give_up("no peer");
  const auto peer = v4_address({127, 0, 0, 1}, 1);
  // Over datagrams a stranger's link ends when it has been told its cookie: its next hello opens another.
  while (!endpoint.over) {
    SocketLink link(socket, stream);
    LinkUser* const user = gate.admit(link, peer, !listens);
    if (user == nullptr) return std::fputs("turned away\n", stderr), 2;
    while (!link.over()) {
      pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
      ::poll(&ready, 1, std::clamp(gate.deadline().since(clock.now()), 1, 1000));
      alignas(8) std::array<std::byte, 65536> bytes;
      if ((ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
        const auto size = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (size <= 0) link.close();
        if (size > 0) user->received(link, std::span(bytes).first(static_cast<std::size_t>(size)));
      }
      gate.poll();
    }
    user->closed(link);
  }
  ::close(socket);
  return endpoint.met ? 0 : 1;
}
