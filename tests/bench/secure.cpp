// popsgd_secure_bench: what it costs that nobody else can listen. Agents exchange 1 MB over TCP, in plain text and over the secure
// link in turn, beside what the cipher alone takes for as many bytes; then members meet in memory, for the first
// time and again. Medians over interleaved rounds.
#include "agent/membership.h"
#include "secure_pair.h"
#include "two_agents.h"

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <mbedtls/chachapoly.h>

namespace {

using namespace bench;

constexpr std::size_t kModel = 1 << 20;  // bytes

double processor_time(clockid_t clock = CLOCK_PROCESS_CPUTIME_ID) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Of one exchange, or of what is compared with it: seconds by the clock on the wall, and of all processors.
struct Cost {
  double wall;
  double processor;
};

template <typename Work>
Cost cost(int times, Work work) {
  const auto start = SteadyClock::now();
  const double processor = processor_time();
  work();
  return {since(start) / times, (processor_time() - processor) / times};
}

// --- the cipher alone

/// ChaCha20-Poly1305 of a model to send and of one that was received, in records of TLS; by mbedTLS, whatever it is built of.
class Cipher {
 public:
  Cipher() {
    mbedtls_chachapoly_init(&context_);
    const std::array<unsigned char, 32> key{1};
    if (mbedtls_chachapoly_setkey(&context_, key.data()) != 0) fail("no cipher");
  }
  ~Cipher() { mbedtls_chachapoly_free(&context_); }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;
  Cipher(Cipher&&) = delete;
  Cipher& operator=(Cipher&&) = delete;

  void send_and_receive() {
    for (std::size_t at = 0; at < kModel; at += record_.size()) {
      if (mbedtls_chachapoly_encrypt_and_tag(&context_, record_.size(), nonce_.data(), header_.data(),
                                             header_.size(), record_.data(), record_.data(),
                                             tag_.data()) != 0 ||
          mbedtls_chachapoly_auth_decrypt(&context_, record_.size(), nonce_.data(), header_.data(),
                                          header_.size(), tag_.data(), record_.data(), record_.data()) != 0)
        fail("the cipher fails");
    }
  }

 private:
  mbedtls_chachapoly_context context_{};
  std::array<unsigned char, 12> nonce_{};
  std::array<unsigned char, 13> header_{};  // RFC 5246, 6.2.3.3
  std::array<unsigned char, 16> tag_{};
  std::array<unsigned char, 16384> record_{};  // in place, as mbedTLS does it
};

/// Both agents' part, each in its thread.
Cost ciphers(int times) {
  std::array<Cipher, 2> both;
  return cost(times, [&] {
    std::array<std::jthread, 2> threads;
    for (std::size_t k = 0; k < both.size(); ++k) {
      threads[k] = std::jthread([&cipher = both[k], times] {
        for (int turn = 0; turn < times; ++turn) cipher.send_and_receive();
      });
    }
  });
}

// --- exchanges

std::shared_ptr<net::Listener> guard(net::Loop& loop, net::Listener& within) {
  return std::make_shared<command::Membership>(loop, test::swarm_keys(), within, [](const std::string& line) {
    std::fprintf(stderr, "%s\n", line.c_str());
  });
}

void exchanges(int rounds) {
  constexpr int kTimes = 20;
  Agents plain({.kind = Kind::tcp, .parameters = kModel / 4});
  Agents secure({.kind = Kind::tcp, .parameters = kModel / 4, .guard = guard});
  struct {
    std::vector<double> plain, cipher, secure, ratio;
  } wall, processor;
  for (int k = -2; k < rounds; ++k) {
    const Cost p = cost(kTimes, [&] { plain.run(kTimes); });
    const Cost c = ciphers(kTimes);
    const Cost s = cost(kTimes, [&] { secure.run(kTimes); });
    if (k < 0) continue;
    const auto add = [](auto& to, double a, double b, double both) {
      to.plain.push_back(a);
      to.cipher.push_back(b);
      to.secure.push_back(both);
      to.ratio.push_back(both / (a + b));
    };
    add(wall, p.wall, c.wall, s.wall);
    add(processor, p.processor, c.processor, s.processor);
  }
  for (const bool by_wall : {true, false}) {
    const auto& of = by_wall ? wall : processor;
    std::printf("1 MB each way over TCP, %s: plain %.2f ms, the cipher alone %.2f ms, secure %.2f ms\n",
                by_wall ? "on the wall" : "of processors", 1e3 * median(of.plain), 1e3 * median(of.cipher),
                1e3 * median(of.secure));
    print("secure / (plain + the cipher alone)", median(of.ratio), "1.25 at most");
  }
}

// --- meetings

/// Processor time of one meeting, of both members.
double meet(test::Meeting& meeting) {
  const double start = processor_time(CLOCK_THREAD_CPUTIME_ID);
  meeting.dial();
  meeting.run();
  if (!meeting.met()) fail("members do not meet");
  const double seconds = processor_time(CLOCK_THREAD_CPUTIME_ID) - start;
  meeting.caller.last()->link->close();
  meeting.run();
  return seconds;
}

void meetings(int rounds) {
  constexpr std::uint32_t kUnlimited = 1'000'000;
  for (const bool reliable : {true, false}) {
    const char* const name = reliable ? "TLS" : "DTLS";
    test::Meeting strangers(reliable, {.remembered = 0},
                            {.per_second = kUnlimited, .per_source = kUnlimited});
    test::Meeting acquainted(reliable, {}, {.per_second = kUnlimited, .per_source = kUnlimited});
    strangers.use_swarm_keys();
    acquainted.use_swarm_keys();
    meet(acquainted);
    std::vector<double> first, again, ratio;
    for (int k = 0; k < 10 * rounds; ++k) {
      first.push_back(meet(strangers));
      again.push_back(meet(acquainted));
      ratio.push_back(again.back() / first.back());
    }
    if (acquainted.called.gate.counts().resumed + acquainted.caller.gate.counts().resumed == 0)
      fail("no session was resumed");
    std::printf("%s: both members' processor time, full handshake %.0f us, resumed %.0f us\n", name,
                1e6 * median(first), 1e6 * median(again));
    print("resumed / full handshake", median(ratio), "0.20 at most");
  }
}

void records() {
  test::Meeting meeting(false, {}, {}, 1300);
  meeting.use_swarm_keys().dial();
  meeting.run();
  std::size_t bytes = 0;
  meeting.between = [&bytes](test::Bytes& said, bool) {
    bytes = said.size();
    return true;
  };
  if (meeting.caller.last()->link->send(test::frame_of(1200)) != Status::ok) fail("no frame is sent");
  meeting.run();
  print("bytes that a record of DTLS adds to 1200", static_cast<double>(bytes - 1200), "40 at most");
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 11;
  if (rounds < 1) fail("usage: popsgd_secure_bench [ROUNDS [exchanges|meetings|records]]");
  const std::string only = argc > 2 ? argv[2] : "";
  if (only.empty() || only == "exchanges") exchanges(rounds);
  if (only.empty() || only == "meetings") meetings(rounds);
  if (only.empty() || only == "records") records();
  return 0;
}
