// Two agents that exchange their models again and again over loopback, each with its own thread, loop and link.
#pragma once

#include "agent_on_link.h"
#include "lossy_net.h"

#include <popsgd/asio/listener.h>
#include <popsgd/asio/loop.h>
#include <popsgd/asio/tcp.h>
#include <popsgd/asio/udp.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

using namespace popsgd;
using SteadyClock = std::chrono::steady_clock;

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

inline double since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

inline double median_ratio(const std::vector<double>& over, const std::vector<double>& under) {
  std::vector<double> ratios;
  for (std::size_t k = 0; k < over.size(); ++k) ratios.push_back(over[k] / under[k]);
  return median(ratios);
}

inline void print(const char* what, double ratio, const char* target) {
  std::printf("  %-66s %5.2f   (target: %s)\n", what, ratio, target);
}

/// Who stands between a transport and who is told of its links.
using Guard = std::function<std::shared_ptr<net::Listener>(net::Loop& loop, net::Listener& within)>;

enum class Kind : std::uint8_t { tcp, udp };

struct Setting {
  Kind kind = Kind::tcp;
  std::size_t parameters = 0;
  int drop_every = 0;  // frames received, exactly; 0: none
  Guard guard{};       // none: links as they are
};

inline AgentConfig config_for(const Setting& setting, std::uint64_t seed) {
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
    if (setting.guard) guard_ = setting.guard(loop_, *this);
    net::Listener& listener = guard_ ? *guard_ : *this;
    if (setting.kind == Kind::tcp) {
      tcp_.emplace(loop_, net::TcpOptions{}, listener);
    } else {
      net::UdpOptions options;
      options.mtu = net::UdpOptions::automatic;
      udp_.emplace(loop_, options, listener);
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
    const auto start = SteadyClock::now();
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
  std::shared_ptr<net::Listener> guard_{};
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

}  // namespace bench
