#include "links.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/asio/error.h>
#include <popsgd/asio/tcp.h>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace popsgd;
using namespace popsgd::test;
using net::Loop;
using net::TcpOptions;
using net::TcpTransport;

namespace {

// A peer that does as it likes: a blocking socket of the system.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
  }
  ~RawPeer() { ::close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  RawPeer(RawPeer&& other) noexcept : connected(other.connected), fd_(std::exchange(other.fd_, -1)) {}
  RawPeer& operator=(RawPeer&&) = delete;

  void send(std::span<const std::uint8_t> bytes) const {
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  // At least one byte, or 0 at the end.
  [[nodiscard]] ssize_t read() const {
    std::array<char, 65536> bytes{};
    return ::recv(fd_, bytes.data(), bytes.size(), 0);
  }

  bool connected = false;

 private:
  int fd_;
};

constexpr std::array<std::uint8_t, 7> kFrame{3, 0, 0, 0, 'a', 'b', 'c'};

}  // namespace

TEST_CASE("a length of 0 or above the MTU closes the link, and no other") {
  Loop loop;
  Host host;
  TcpOptions options;
  options.mtu = 1000;
  TcpTransport transport(loop, options, host);
  const Address at = transport.listen(kV4);
  const RawPeer good(at.port);
  const RawPeer zero(at.port);
  const RawPeer large(at.port);
  REQUIRE(run_until(loop, [&] { return host.open() == 3; }));
  zero.send(std::array<std::uint8_t, 4>{});
  large.send(std::array<std::uint8_t, 4>{0xE9, 3, 0, 0});  // 1001
  REQUIRE(run_until(loop, [&] { return host.open() == 1; }));
  CHECK(transport.metrics().garbled == 2);
  good.send(kFrame);
  CHECK(run_until(loop, [&] { return host[0].frames.size() == 1; }));
}

TEST_CASE("a frame that comes byte by byte is whole") {
  Loop loop;
  Host host;
  TcpTransport transport(loop, {}, host);
  const RawPeer peer(transport.listen(kV4).port);
  for (const std::uint8_t byte : kFrame) {
    peer.send({&byte, 1});
    settle(loop, 2);
  }
  REQUIRE(run_until(loop, [&] { return host.open() == 1 && !host[0].frames.empty(); }));
  CHECK(host[0].frames[0] == Bytes{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}});
}

TEST_CASE("a peer that does not end its frame is closed") {
  Loop loop;
  Host host;
  TcpOptions options;
  options.stall_timeout = 60;
  TcpTransport transport(loop, options, host);
  const std::uint16_t port = transport.listen(kV4).port;
  const RawPeer idle(port);
  const RawPeer slow(port);
  REQUIRE(run_until(loop, [&] { return host.open() == 2; }));
  slow.send(std::array<std::uint8_t, 4>{0, 0xFF, 0, 0});
  for (int k = 0; k < 1000 && host.open() == 2; ++k) {  // a byte now and then
    slow.send(std::array<std::uint8_t, 1>{1});
    settle(loop, 5);
  }
  CHECK(host[1].closings == 1);
  CHECK(host[0].closings == 0);  // silence between frames is no fault
  CHECK(transport.metrics().stalled == 1);
}

TEST_CASE("a thousand connections of garbage take no more than all places, and leave none behind") {
  Loop loop;
  Host host;
  TcpOptions options;
  options.links = 8;
  TcpTransport transport(loop, options, host);
  const std::uint16_t port = transport.listen(kV4).port;
  std::size_t most = 0;
  const auto taken = [&] {
    most = std::max(most, host.open());
    return transport.metrics().accepted + transport.metrics().turned_away;
  };
  // A dozen is more than there are places, and fewer than may wait: the next one would block here for ever.
  for (std::uint64_t k = 1; k <= 1000; ++k) {
    const RawPeer peer(port);
    peer.send(std::array<std::uint8_t, 9>{0xFF, static_cast<std::uint8_t>(k), 3, 4, 5, 6, 7, 8, 9});
    if (k % 12 == 0) REQUIRE(run_until(loop, [&] { return taken() == k; }));
  }
  REQUIRE(run_until(loop, [&] { return taken() == 1000 && host.open() == 0; }));
  CHECK(most <= 8);
  const RawPeer peer(port);
  peer.send(kFrame);
  CHECK(run_until(loop, [&] { return host.diaries.back()->frames.size() == 1; }));
}

TEST_CASE(
    "where all places are taken by callers that say nothing, the next one gets the place of the longest "
    "silent") {
  Loop loop;
  Host host;
  TcpOptions options;
  options.links = 3;
  options.stall_timeout = 50;
  TcpTransport transport(loop, options, host);
  const std::uint16_t port = transport.listen(kV4).port;
  const RawPeer a(port);
  const RawPeer b(port);
  const RawPeer c(port);
  REQUIRE(run_until(loop, [&] { return host.open() == 3; }));
  settle(loop, 100);
  a.send(kFrame);
  REQUIRE(run_until(loop, [&] { return !host[0].frames.empty(); }));
  const RawPeer next(port);
  REQUIRE(run_until(loop, [&] { return host.diaries.size() == 4 && host.open() == 3; }));
  CHECK(host[0].closings == 0);
  CHECK(transport.metrics().replaced == 1);
}

TEST_CASE(
    "a peer that does not read costs the queue and no more, and is closed when it takes nothing for too "
    "long") {
  Loop loop;
  Host host;
  TcpOptions options;
  options.queue = 200000;
  options.stall_timeout = 200;
  TcpTransport transport(loop, options, host);
  const RawPeer peer(transport.listen(kV4).port, 4096);
  REQUIRE(run_until(loop, [&] { return host.open() == 1; }));
  const Bytes frame = frame_of(60000);
  Status status = Status::ok;
  int sent = 0;
  for (; sent < 1000 && status == Status::ok; ++sent) status = host[0].link->send(frame);
  CHECK(status == Status::no_room);
  REQUIRE(peer.read() > 0);
  CHECK(run_until(loop, [&] { return host[0].closings == 1; }));
  CHECK(transport.metrics().stalled == 1);
}

TEST_CASE("a link that was full has room again when its peer has read") {
  Loop loop;
  Host host;
  TcpOptions options;
  options.queue = 200000;
  TcpTransport transport(loop, options, host);
  const RawPeer peer(transport.listen(kV4).port);
  REQUIRE(run_until(loop, [&] { return host.open() == 1; }));
  const Bytes frame = frame_of(60000);
  std::size_t sent = 0;
  while (host[0].link->send(frame) == Status::ok) sent += frame.size() + 4;
  for (std::size_t read = 0; read + 100000 < sent;) {
    read += static_cast<std::size_t>(peer.read());
    settle(loop, 1);
  }
  REQUIRE(run_until(loop, [&] { return host[0].writables == 1; }));
  CHECK(host[0].link->send(frame) == Status::ok);
}

TEST_CASE(
    "answers to what has come leave in their order, short and long ones, also when the link is closed with "
    "them") {
  constexpr std::array<std::size_t, 8> kSizes{10, 5000, 9000, 60000, 3, 65535, 65535, 20};
  for (const std::size_t count : {kSizes.size(), std::size_t{7}, std::size_t{2}}) {
    CAPTURE(count);
    Loop loop;
    Host here;
    Host there;
    TcpTransport listening(loop, {}, here);
    TcpTransport dialling(loop, {}, there);
    dialling.dial(listening.listen(kV4));
    REQUIRE(run_until(loop, [&] { return here.open() == 1 && there.open() == 1; }));
    const bool close = count < 7;
    here[0].on_frame = [&] {
      for (std::size_t k = 0; k < count; ++k)
        CHECK(here[0].link->send(frame_of(kSizes[k], static_cast<std::uint32_t>(k))) == Status::ok);
      if (close) here[0].link->close();
    };
    REQUIRE(there[0].link->send(frame_of(3)) == Status::ok);
    REQUIRE(run_until(loop, [&] { return there[0].frames.size() == count; }));
    for (std::size_t k = 0; k < count; ++k)
      CHECK(there[0].frames[k] == frame_of(kSizes[k], static_cast<std::uint32_t>(k)));
    CHECK(run_until(loop, [&] { return there[0].closings == (close ? 1 : 0); }));
  }
}

TEST_CASE("a dial that nobody answers fails with a sentence, and others go on") {
  Loop loop;
  Host host;
  TcpTransport transport(loop, {}, host);
  Address nobody = kV4;
  {
    Loop other;
    nobody = TcpTransport(other, {}, host).listen(kV4);
  }
  const Address somebody = transport.listen(kV4);
  transport.dial(nobody);
  transport.dial(somebody);
  REQUIRE(run_until(loop, [&] { return host.open() == 2 && host.failed.size() == 1; }));
  CHECK(host.failed[0] == nobody);
  CHECK(host.reasons[0] == "cannot reach " + net::to_text(nobody) + ": nobody listens there");
}

TEST_CASE("a dial beyond the number of links fails") {
  Loop loop;
  Host host;
  Host called;
  TcpTransport listens(loop, {}, called);
  TcpOptions options;
  options.links = 2;
  TcpTransport dials(loop, options, host);
  const Address at = listens.listen(kV4);
  for (int k = 0; k < 3; ++k) dials.dial(at);
  CHECK(run_until(loop, [&] { return host.open() == 2 && host.failed.size() == 1; }));
}

TEST_CASE("who listens at all addresses is reached by IPv4 and IPv6") {
  Loop loop;
  Host host;
  Host called;
  TcpTransport listens(loop, {}, called);
  TcpTransport dials(loop, {}, host);
  const std::uint16_t port = listens.listen({}).port;
  dials.dial(v4_address(kLocal, port));
  dials.dial({kV6.ip, port, 0});
  REQUIRE(run_until(loop, [&] { return host.open() == 2 && called.open() == 2; }));
  CHECK((called[0].remote.is_v4() != called[1].remote.is_v4()));
}

TEST_CASE("an address in use, and one of another machine, are refused with a sentence") {
  Loop loop;
  Host host;
  TcpTransport transport(loop, {}, host);
  const Address at = transport.listen(kV4);
  const auto message = [&](const Address& address) -> std::string {
    try {
      transport.listen(address);
    } catch (const net::Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message(at).starts_with("cannot listen at " + net::to_text(at) + " (TCP): another program is there"));
  CHECK(message(v4_address({192, 0, 2, 1}, 0)).find("this machine has no such address") != std::string::npos);
}

TEST_CASE("a transport destroyed amid dials and callers leaves the loop sound") {
  Loop loop;
  Host host;
  {
    TcpTransport transport(loop, {}, host);
    const Address at = transport.listen(kV4);
    for (int k = 0; k < 5; ++k) transport.dial(at);
    settle(loop, 1);
    for (int k = 0; k < 5; ++k) transport.dial(at);
  }
  settle(loop);
  CHECK(host.failed.empty());
  for (const auto& diary : host.diaries) CHECK(diary->closings == 0);
}
