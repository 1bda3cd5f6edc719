// Calls an agent a thousand times a second from a thousand addresses, and has nothing to say:
//
//     popsgd_flood KIND PORT HELLOS_A_SECOND SECONDS
//
// KIND: "spoofed", DTLS hellos whose senders do not hear the answer; "cookies", whose senders do, and say the cookie, and stop there;
// "silent", TCP connections; "hellos", TCP connections that begin TLS and stop there. Sources are 127.1.0.0 to 127.1.3.231.
// The last line is "flood: N hellos, N answered".
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t kSources = 1000;
constexpr std::size_t kOpen = 500;  // TCP connections at a time; then the oldest is hung up

void put(Bytes& into, std::initializer_list<unsigned> bytes) {
  for (const unsigned byte : bytes) into.push_back(static_cast<std::uint8_t>(byte));
}
void put(Bytes& into, std::size_t size, std::size_t number) {
  while (size-- > 0) into.push_back(static_cast<std::uint8_t>(number >> (8 * size)));
}

// ClientHello for ECDHE-PSK-CHACHA20-POLY1305 over X25519: RFC 5246, 7.4.1.2; RFC 6347, 4.2.1. `cookie`: null over TLS.
Bytes hello(std::mt19937& random, const Bytes* cookie) {
  const bool datagrams = cookie != nullptr;
  Bytes body;
  put(body, datagrams ? std::initializer_list<unsigned>{0xFE, 0xFD} : std::initializer_list<unsigned>{3, 3});
  for (int k = 0; k < 32; ++k) put(body, {static_cast<unsigned>(random()) & 0xFF});
  put(body, {0});
  if (datagrams) {
    put(body, 1, cookie->size());
    body.insert(body.end(), cookie->begin(), cookie->end());
  }
  put(body, {0, 4, 0xCC, 0xAC, 0, 0xFF, 1, 0});  // suites, no compression
  put(body, {0, 18, 0, 10, 0, 4, 0, 2,  0, 29,
             0, 11, 0, 2,  1, 0, 0, 23, 0, 0});  // group, points, extended master secret
  Bytes all;
  const std::size_t header = datagrams ? 12 : 4;
  put(all, datagrams ? std::initializer_list<unsigned>{22, 0xFE, 0xFD}
                     : std::initializer_list<unsigned>{22, 3, 3});
  if (datagrams) put(all, 8, cookie->empty() ? 0 : 1);  // epoch and number
  put(all, 2, header + body.size());
  put(all, {1});
  put(all, 3, body.size());
  if (datagrams) {
    put(all, 2, cookie->empty() ? 0 : 1);
    put(all, 3, 0);
    put(all, 3, body.size());
  }
  all.insert(all.end(), body.begin(), body.end());
  return all;
}

sockaddr_in at(std::uint32_t address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(address);
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  return to;
}

int open_at(std::size_t source, int type) {
  const int socket = ::socket(AF_INET, type | SOCK_NONBLOCK, 0);
  const sockaddr_in from = at(0x7F010000U + static_cast<std::uint32_t>(source), 0);
  if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) != 0) {
    std::perror("popsgd_flood: a socket");
    std::exit(2);
  }
  return socket;
}

class Flood {
 public:
  Flood(std::string_view kind, int port)
      : kind_(kind), datagrams_(kind == "spoofed" || kind == "cookies"), to_(at(0x7F000001U, port)) {
    if (!datagrams_) return;
    for (std::size_t k = 0; k < kSources; ++k) sockets_.push_back(open_at(k, SOCK_DGRAM));
  }
  void one() {
    datagrams_ ? say() : connect();
    ++said;
  }
  std::uint64_t said = 0;
  std::uint64_t answered = 0;

 private:
  [[nodiscard]] const sockaddr* to() const { return reinterpret_cast<const sockaddr*>(&to_); }

  void say() {
    const int socket = sockets_[said % kSources];
    std::array<std::uint8_t, 2048> heard;
    const auto size = ::recv(socket, heard.data(), heard.size(), 0);
    Bytes cookie;
    // A HelloVerifyRequest: behind headers of 13 and 12 and a version of 2 bytes its length, and the cookie.
    if (size > 28 && heard[0] == 22 && heard[13] == 3 && size >= 28 + heard[27]) {
      ++answered;
      if (kind_ == "cookies") cookie.assign(heard.begin() + 28, heard.begin() + 28 + heard[27]);
    }
    const Bytes bytes = hello(random_, &cookie);
    static_cast<void>(::sendto(socket, bytes.data(), bytes.size(), 0, to(), sizeof(to_)));
  }
  void connect() {
    const int socket = open_at(said % kSources, SOCK_STREAM);
    static_cast<void>(::connect(socket, to(), sizeof(to_)));
    sockets_.push_back(socket);
    // Its connection is made by now, or never.
    if (kind_ == "hellos" && sockets_.size() > 20) greet(sockets_[sockets_.size() - 20]);
    if (sockets_.size() < kOpen) return;
    std::uint8_t heard = 0;
    if (::recv(sockets_.front(), &heard, 1, 0) > 0) ++answered;
    ::close(sockets_.front());
    sockets_.pop_front();
  }
  void greet(int socket) {
    const Bytes bytes = hello(random_, nullptr);
    Bytes frame{static_cast<std::uint8_t>(bytes.size()), 0, 0, 0};  // as the agents' transport frames it
    frame.insert(frame.end(), bytes.begin(), bytes.end());
    static_cast<void>(::send(socket, frame.data(), frame.size(), MSG_NOSIGNAL));
  }

  std::string_view kind_;
  bool datagrams_;
  sockaddr_in to_;
  std::deque<int> sockets_{};
  std::mt19937 random_{3};
};

}  // namespace

int main(int count, char** words) {
  if (count != 5)
    return std::fputs("popsgd_flood spoofed|cookies|silent|hellos PORT A_SECOND SECONDS\n", stderr), 2;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  ::setrlimit(RLIMIT_NOFILE, &files);
  const double rate = std::atof(words[3]);
  const double seconds = std::atof(words[4]);
  Flood flood(words[1], std::atoi(words[2]));
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const std::chrono::duration<double> past = std::chrono::steady_clock::now() - begin;
    if (past.count() >= seconds) break;
    while (static_cast<double>(flood.said) < rate * past.count()) flood.one();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::printf("flood: %llu hellos, %llu answered\n", static_cast<unsigned long long>(flood.said),
              static_cast<unsigned long long>(flood.answered));
  return 0;
}
