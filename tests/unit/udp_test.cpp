#include "links.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/asio/error.h>
#include <popsgd/asio/udp.h>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace popsgd;
using namespace popsgd::test;
using net::Loop;
using net::UdpOptions;
using net::UdpTransport;

namespace {

// A stranger with a socket of its own.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static_cast<void>(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)));
  }
  ~RawPeer() { ::close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  RawPeer(RawPeer&&) = delete;
  RawPeer& operator=(RawPeer&&) = delete;

  void send(std::size_t size) const {
    const Bytes bytes = frame_of(size);
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), 0));
  }

 private:
  int fd_;
};

}  // namespace

TEST_CASE(
    "strangers take no more than their places: the one idle for longest makes room, who was dialled stays") {
  Loop loop;
  Host host;
  UdpOptions options;
  options.strangers = 3;
  UdpTransport transport(loop, options, host);
  const Address at = transport.listen(kV4);
  Host other;
  UdpTransport friends(loop, {}, other);
  transport.dial(friends.listen(kV4));
  REQUIRE(run_until(loop, [&] { return host.open() == 1; }));
  const RawPeer first(at.port);
  std::vector<std::unique_ptr<RawPeer>>
      strangers;  // all are kept: the system would give their ports to others
  for (int k = 0; k < 100; ++k) {
    first.send(8);
    strangers.push_back(std::make_unique<RawPeer>(at.port));
    strangers.back()->send(8);
    REQUIRE(
        run_until(loop, [&] { return transport.metrics().strangers >= static_cast<std::uint64_t>(k + 2); }));
    settle(loop, 1);
    CHECK(host.open() <= 4);
  }
  CHECK(host[0].closings == 0);
  CHECK(host[1].closings == 0);  // was never idle for longest
  CHECK(host[1].frames.size() == 100);
  CHECK(transport.metrics().replaced == 98);
}

TEST_CASE("datagrams that are empty or longer than the MTU are dropped and counted") {
  Loop loop;
  Host host;
  UdpTransport transport(loop, {}, host);
  const RawPeer peer(transport.listen(kV4).port);
  peer.send(0);
  peer.send(1201);
  peer.send(1200);
  REQUIRE(run_until(loop, [&] { return host.open() == 1; }));
  CHECK(transport.metrics().invalid == 2);
  CHECK(host[0].frames.size() == 1);
  CHECK(host[0].frames[0] == frame_of(1200));
}

TEST_CASE("the automatic MTU is what the system says of the path, up to the most") {
  Loop loop;
  Host host;
  Host called;
  UdpOptions options;
  options.mtu = UdpOptions::automatic;
  UdpTransport listens(loop, options, called);
  UdpTransport dials(loop, options, host);
  dials.dial(listens.listen(kV4));
  REQUIRE(run_until(loop, [&] { return host.open() == 1; }));
  const std::uint16_t mtu =
      host[0].link->traits().mtu;  // of the loopback interface: 65536 less headers, unless changed
  CHECK(mtu <= UdpOptions::most);
  CHECK(mtu >= 1200);
  CHECK(host[0].link->send(frame_of(mtu)) == Status::ok);
  CHECK(host[0].link->send(frame_of(mtu + 1U)) == Status::invalid_size);
  REQUIRE(run_until(loop, [&] { return called.open() == 1; }));
  CHECK(called[0].frames[0] == frame_of(mtu));
}

TEST_CASE("a peer that nobody is at leaves the socket sound") {
  Loop loop;
  Host host;
  Address nobody = kV4;
  {
    Loop other;
    nobody = UdpTransport(other, {}, host).listen(kV4);
  }
  Host called;
  UdpTransport listens(loop, {}, called);
  UdpTransport dials(loop, {}, host);
  dials.dial(nobody);
  dials.dial(listens.listen(kV4));
  REQUIRE(run_until(loop, [&] { return host.open() == 2; }));
  for (int k = 0; k < 10; ++k) {
    CHECK(host[0].link->send(frame_of(8)) == Status::ok);
    settle(loop, 1);  // ICMP says that the port is unreachable
    CHECK(host[1].link->send(frame_of(8)) == Status::ok);
  }
  CHECK(run_until(loop, [&] { return called.open() == 1 && called[0].frames.size() == 10; }));
  CHECK(host.open() == 2);
}

TEST_CASE("a peer that was dialled while its first datagram was on its way is one link") {
  Loop loop;
  Host a;
  Host b;
  UdpTransport first(loop, {}, a);
  UdpTransport second(loop, {}, b);
  const Address at_first = first.listen(kV4);
  const Address at_second = second.listen(kV4);
  first.dial(at_second);
  REQUIRE(run_until(loop, [&] { return a.open() == 1; }));
  CHECK(a[0].link->send(frame_of(8)) == Status::ok);
  second.dial(at_first);
  second.dial(at_first);
  REQUIRE(run_until(loop, [&] { return b.open() == 1 && !b[0].frames.empty(); }));
  CHECK(b[0].link->send(frame_of(8)) == Status::ok);
  REQUIRE(run_until(loop, [&] { return !a[0].frames.empty(); }));
  CHECK(a.diaries.size() == 1);
  CHECK(b.diaries.size() == 1);
}

TEST_CASE("a datagram of a peer whose link was closed opens a new one") {
  Loop loop;
  Host host;
  UdpTransport transport(loop, {}, host);
  const RawPeer peer(transport.listen(kV4).port);
  peer.send(8);
  REQUIRE(run_until(loop, [&] { return host.open() == 1; }));
  host[0].link->close();
  peer.send(9);
  REQUIRE(run_until(loop, [&] { return host.diaries.size() == 2; }));
  REQUIRE(run_until(loop, [&] { return host[0].closings == 1; }));
  CHECK(host[0].frames.size() == 1);
  CHECK(host[1].frames.size() == 1);
}

TEST_CASE("one socket at all addresses serves IPv4 and IPv6") {
  Loop loop;
  Host host;
  Host called;
  UdpTransport listens(loop, {}, called);
  UdpTransport dials(loop, {}, host);
  const std::uint16_t port = listens.listen({}).port;
  dials.dial(v4_address(kLocal, port));
  dials.dial({kV6.ip, port, 0});
  REQUIRE(run_until(loop, [&] { return host.open() == 2; }));
  for (std::size_t k = 0; k < 2; ++k) CHECK(host[k].link->send(frame_of(8)) == Status::ok);
  REQUIRE(run_until(loop, [&] { return called.open() == 2; }));
  CHECK((called[0].remote.is_v4() != called[1].remote.is_v4()));
  for (std::size_t k = 0; k < 2; ++k) CHECK(called[k].link->send(frame_of(9)) == Status::ok);
  CHECK(run_until(loop, [&] { return host[0].frames.size() == 1 && host[1].frames.size() == 1; }));
}

TEST_CASE("a dial to no address fails with a sentence, and so does listening where another is") {
  Loop loop;
  Host host;
  UdpTransport transport(loop, {}, host);
  const Address at = transport.listen(kV4);
  transport.dial(kV4);
  REQUIRE(run_until(loop, [&] { return host.failed.size() == 1; }));
  CHECK(host.reasons[0] == "cannot reach 127.0.0.1:0: it has no port, or no host");
  UdpTransport other(loop, {}, host);
  std::string message;
  try {
    other.listen(at);
  } catch (const net::Error& error) {
    message = error.what();
  }
  CHECK(message.starts_with("cannot listen at " + net::to_text(at) + " (UDP): another program is there"));
}
