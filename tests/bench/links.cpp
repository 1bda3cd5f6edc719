// popsgd_links_bench: what an exchange takes over sockets, beside the same bytes on bare ones. Two threads, each with its own
// loop, agent and link, exchange their models again and again over loopback; in turn with them, two threads send as many bytes
// to and fro on blocking sockets. Medians over interleaved rounds.
#include "two_agents.h"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace bench;

// --- bare sockets

/// A thread that sends back as many bytes as it has read.
class PingPong {
 public:
  explicit PingPong(std::size_t bytes) : bytes_(bytes), data_(bytes) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(listener, address, size) != 0 || ::listen(listener, 1) != 0 ||
        ::getsockname(listener, address, &size) != 0)
      fail("no socket");
    mine_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(mine_, address, size) != 0) fail("no connection");
    theirs_ = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    const int on = 1;
    for (const int fd : {mine_, theirs_}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    echo_ = std::thread([this] {
      std::vector<char> data(bytes_);
      while (read_all(theirs_, data)) write_all(theirs_, data);
    });
  }
  ~PingPong() {
    ::shutdown(mine_, SHUT_RDWR);
    echo_.join();
    ::close(mine_);
    ::close(theirs_);
  }
  PingPong(const PingPong&) = delete;
  PingPong& operator=(const PingPong&) = delete;
  PingPong(PingPong&&) = delete;
  PingPong& operator=(PingPong&&) = delete;

  /// Seconds of one, of several.
  double run(int times) {
    const auto start = SteadyClock::now();
    for (int k = 0; k < times; ++k) {
      write_all(mine_, data_);
      read_all(mine_, data_);
    }
    return since(start) / times;
  }

 private:
  static bool read_all(int fd, std::vector<char>& data) {
    for (std::size_t at = 0; at < data.size();) {
      const ssize_t count = ::read(fd, data.data() + at, data.size() - at);
      if (count <= 0) return false;
      at += static_cast<std::size_t>(count);
    }
    return true;
  }
  static void write_all(int fd, const std::vector<char>& data) {
    for (std::size_t at = 0; at < data.size();) {
      const ssize_t count = ::write(fd, data.data() + at, data.size() - at);
      if (count <= 0) fail("the peer is gone");
      at += static_cast<std::size_t>(count);
    }
  }

  std::size_t bytes_;
  std::vector<char> data_;
  int mine_ = -1;
  int theirs_ = -1;
  std::thread echo_{};
};

// --- what is compared

struct Comparison {
  std::vector<double> bare{};
  std::vector<double> tcp{};
  std::vector<double> udp{};
  std::vector<double> lossy{};
};

void small_models(int rounds) {
  constexpr std::size_t kBytes = 4096;
  PingPong bare(kBytes);
  Agents tcp({.kind = Kind::tcp, .parameters = kBytes / 4});
  Comparison seconds;
  for (int k = -2; k < rounds; ++k) {
    const double b = bare.run(1000);
    const double t = tcp.run(500);
    if (k < 0) continue;
    seconds.bare.push_back(b);
    seconds.tcp.push_back(t);
  }
  std::printf("4 kB: to and fro %.1f us, exchange over TCP %.1f us\n", 1e6 * median(seconds.bare),
              1e6 * median(seconds.tcp));
  print("exchange over TCP / bare sockets", median_ratio(seconds.tcp, seconds.bare), "3 at most");
}

/// One exchange after the other over TCP and as many bytes on bare sockets.
void large_models_over_tcp(int rounds) {
  constexpr std::size_t kBytes = 1 << 20;
  PingPong bare(kBytes);
  Agents tcp({.kind = Kind::tcp, .parameters = kBytes / 4});
  Comparison seconds;
  for (int k = -2; k < rounds; ++k) {
    const double b = bare.run(40);
    const double t = tcp.run(40);
    if (k < 0) continue;
    seconds.bare.push_back(b);
    seconds.tcp.push_back(t);
  }
  std::printf("1 MB: to and fro %.2f ms, exchange over TCP %.2f ms\n", 1e3 * median(seconds.bare),
              1e3 * median(seconds.tcp));
  print("exchange over TCP / bare sockets", median_ratio(seconds.tcp, seconds.bare), "1.5 at most");
  tcp.report("TCP");
}

void large_models(int rounds) {
  constexpr std::size_t kBytes = 1 << 20;
  PingPong bare(kBytes);
  Agents tcp({.kind = Kind::tcp, .parameters = kBytes / 4});
  Agents udp({.kind = Kind::udp, .parameters = kBytes / 4});
  Agents lossy({.kind = Kind::udp, .parameters = kBytes / 4, .drop_every = 20});
  Comparison seconds;
  for (int k = -2; k < rounds; ++k) {
    const double b = bare.run(40);
    const double t = tcp.run(40);
    const double u = udp.run(40);
    const double l = lossy.run(40);
    if (k < 0) continue;
    seconds.bare.push_back(b);
    seconds.tcp.push_back(t);
    seconds.udp.push_back(u);
    seconds.lossy.push_back(l);
  }
  std::printf("1 MB: to and fro %.2f ms, exchange over TCP %.2f ms, UDP %.2f ms, UDP with losses %.2f ms\n",
              1e3 * median(seconds.bare), 1e3 * median(seconds.tcp), 1e3 * median(seconds.udp),
              1e3 * median(seconds.lossy));
  print("exchange over TCP / bare sockets", median_ratio(seconds.tcp, seconds.bare), "1.5 at most");
  print("rate of exchanges over UDP / TCP", median_ratio(seconds.tcp, seconds.udp), "0.6 at least");
  print("rate over UDP, every 20th frame lost / none lost", median_ratio(seconds.udp, seconds.lossy),
        "0.3 at least");
  tcp.report("TCP");
  udp.report("UDP");
  lossy.report("UDP with losses");
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 21;
  if (rounds < 1) fail("usage: popsgd_links_bench [ROUNDS [small|large|tcp]]");
  const std::string only = argc > 2 ? argv[2] : "";
  if (only.empty() || only == "small") small_models(rounds);
  if (only.empty() || only == "large") large_models(rounds);
  if (only == "tcp") large_models_over_tcp(rounds);
  return 0;
}
