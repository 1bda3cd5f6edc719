// popsgd_links_bench: what an exchange takes over sockets, beside the same bytes on bare ones. Two threads, each with its own
// loop, agent and link, exchange their models again and again over loopback; in turn with them, two threads send as many bytes
// to and fro on blocking sockets. Medians over interleaved rounds.
#include "agent_on_link.h"
#include "lossy_net.h"

#include <popsgd/asio/listener.h>
#include <popsgd/asio/loop.h>
#include <popsgd/asio/tcp.h>
#include <popsgd/asio/udp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace popsgd;
using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "links: %s\n", what);
  std::exit(1);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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
    const auto start = Clock::now();
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

// --- agents

enum class Kind : std::uint8_t { tcp, udp };

struct Setting {
  Kind kind = Kind::tcp;
  std::size_t parameters = 0;
  int drop_every = 0;  // frames received, exactly; 0: none
};

AgentConfig config_for(const Setting& setting, std::uint64_t seed) {
  AgentConfig config;
  config.seed = seed;
  config.mean_wait = 0;
  config.fresh = false;
  config.largest_frame = setting.kind == Kind::tcp ? 65535 : net::UdpOptions::most;
  config.guarding.gate = false;     // these models do not learn
  config.timing.least_timeout = 3;  // a host's own loopback: a round trip takes less than the clock can tell
  config.timing.busy = 1;
  if (setting.kind == Kind::tcp) config.window = 32;  // a stream has a window of its own
  return config;
}

/// A device with its own thread.
class Side final : public net::Listener, public LinkUser {
 public:
  Side(const Setting& setting, std::uint64_t seed)
      : setting_(setting),
        device_(config_for(setting, seed), std::vector<float>(setting.parameters, static_cast<float>(seed)),
                net::Loop::now()),
        driver_(device_.agent, &net::Loop::now),
        timer_(loop_, [this] { go_on(); }) {
    if (setting.kind == Kind::tcp) {
      tcp_.emplace(loop_, net::TcpOptions{}, *this);
    } else {
      net::UdpOptions options;
      options.mtu = net::UdpOptions::automatic;
      udp_.emplace(loop_, options, *this);
    }
  }

  Address listen() {
    const Address at = v4_address({127, 0, 0, 1}, 0);
    return tcp_ ? tcp_->listen(at) : udp_->listen(at);
  }
  void dial(const Address& at) { tcp_ ? tcp_->dial(at) : udp_->dial(at); }
  void start() {
    thread_ = std::thread([this] { loop_.run(); });
  }
  void stop() {
    loop_.stop();
    thread_.join();
  }

  /// Seconds of an exchange, of so many back to back, which this side begins.
  double run(std::uint64_t exchanges) {
    std::promise<void> done;
    const auto start = Clock::now();
    loop_.post([this, exchanges, &done] {
      done_ = &done;
      until_ = device_.agent.metrics().completed + exchanges;
      go_on();
    });
    if (done.get_future().wait_for(std::chrono::seconds(100)) != std::future_status::ready)
      fail("the exchanges do not end");
    return since(start) / static_cast<double>(exchanges);
  }
  [[nodiscard]] const AgentMetrics& metrics() const { return device_.agent.metrics(); }

  LinkUser& opened(Link& link, const Address&, bool) noexcept override {
    driver_.begin(link);
    go_on();
    return *this;
  }
  void dial_failed(const Address&, std::string_view) noexcept override { fail("the dial failed"); }
  void received(Link& link, std::span<const std::byte> frame) noexcept override {
    if (setting_.drop_every > 0 && ++frames_ % setting_.drop_every == 0) return;
    driver_.received(link, frame);
    go_on();
  }
  void writable(Link&) noexcept override { go_on(); }
  void closed(Link&) noexcept override {}

 private:
  void go_on() {
    Agent& agent = device_.agent;
    const Time now = net::Loop::now();
    if (done_ != nullptr && !agent.exchanging()) {
      if (agent.metrics().completed >= until_)
        std::exchange(done_, nullptr)->set_value();
      else
        static_cast<void>(agent.meet(test::AgentOnLink::kPeer, now));
    }
    driver_.pump();
    if (const Time due = agent.deadline(now); due != due_) timer_.at(due_ = due);
  }

  Setting setting_;
  net::Loop loop_{};
  test::Device device_;
  test::AgentOnLink driver_;
  net::Timer timer_;
  Time due_{};
  std::optional<net::TcpTransport> tcp_{};
  std::optional<net::UdpTransport> udp_{};
  std::thread thread_{};
  std::promise<void>* done_ = nullptr;
  std::uint64_t until_ = 0;
  int frames_ = 0;
};

class Agents {
 public:
  explicit Agents(const Setting& setting) : first_(setting, 1), second_(setting, 2) {
    first_.dial(second_.listen());
    first_.start();
    second_.start();
  }
  ~Agents() {
    first_.stop();
    second_.stop();
  }
  Agents(const Agents&) = delete;
  Agents& operator=(const Agents&) = delete;
  Agents(Agents&&) = delete;
  Agents& operator=(Agents&&) = delete;

  double run(std::uint64_t exchanges) { return first_.run(exchanges); }
  void report(const char* name) const {
    const AgentMetrics& m = first_.metrics();
    std::printf("  %s: %llu exchanges, %llu cut short, %llu frames sent again\n", name,
                static_cast<unsigned long long>(m.completed), static_cast<unsigned long long>(m.cut_short),
                static_cast<unsigned long long>(m.retransmissions));
  }

 private:
  Side first_;
  Side second_;
};

// --- what is compared

struct Comparison {
  std::vector<double> bare{};
  std::vector<double> tcp{};
  std::vector<double> udp{};
  std::vector<double> lossy{};
};

double median_ratio(const std::vector<double>& over, const std::vector<double>& under) {
  std::vector<double> ratios;
  for (std::size_t k = 0; k < over.size(); ++k) ratios.push_back(over[k] / under[k]);
  return median(ratios);
}

void print(const char* what, double ratio, const char* target) {
  std::printf("  %-66s %5.2f   (target: %s)\n", what, ratio, target);
}

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
