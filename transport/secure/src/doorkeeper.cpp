// Strangers over datagrams: RFC 6347, 4.2.1. Nothing is kept of one that has not shown that it hears what is sent to where it says it is.
#include "bytes.h"
#include "context_state.h"

#include <algorithm>

namespace popsgd::secure {
namespace {

// type 1, version 2, epoch 2, number 6, length 2; then the handshake: type 1, length 3, number 2, offset 3, length 3.
constexpr std::size_t kRecord = 13;
constexpr std::size_t kHandshake = 12;
constexpr std::size_t kVersion = 2;
constexpr std::size_t kRandom = 32;

struct Stranger {
  Link& link;
  std::span<const std::byte> datagram;

  static int send(void* self, const unsigned char* bytes, std::size_t size) noexcept {
    // Lost, or not: it will ask again.
    static_cast<void>(static_cast<Stranger*>(self)->link.send(std::as_bytes(std::span(bytes, size))));
    return static_cast<int>(size);
  }
  static int receive(void* self, unsigned char* into, std::size_t size) noexcept {
    auto& bytes = static_cast<Stranger*>(self)->datagram;
    if (bytes.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    const auto taken = bytes.first(std::min(size, bytes.size()));
    std::ranges::copy(taken, reinterpret_cast<std::byte*>(into));
    bytes = {};
    return static_cast<int>(taken.size());
  }
};

}  // namespace

bool is_client_hello(std::span<const std::byte> datagram) noexcept {
  constexpr auto handshake = std::byte{22};
  constexpr auto hello = std::byte{1};
  constexpr auto dtls = std::byte{0xFE};
  return datagram.size() >= kRecord + kHandshake + kVersion + kRandom && datagram[0] == handshake &&
         datagram[1] == dtls && datagram[3] == std::byte{0} && datagram[4] == std::byte{0} &&
         datagram[kRecord] == hello;
}

std::span<const std::byte, 32> random_of(std::span<const std::byte> client_hello) noexcept {
  return client_hello.subspan<kRecord + kHandshake + kVersion, kRandom>();
}

std::array<unsigned char, 18> transport_id(const Address& peer) noexcept {
  std::array<unsigned char, 18> id{};
  std::ranges::copy(peer.ip, id.begin());
  id[16] = static_cast<unsigned char>(peer.port >> 8);
  id[17] = static_cast<unsigned char>(peer.port);
  return id;
}

int Context::State::write_cookie(void* self, unsigned char** at, unsigned char* end, const unsigned char* id,
                                 std::size_t size) noexcept {
  return mbedtls_ssl_cookie_write(&static_cast<State*>(self)->cookies, at, end, id, size);
}

int Context::State::check_cookie(void* self, const unsigned char* cookie, std::size_t length,
                                 const unsigned char* id, std::size_t size) noexcept {
  State& state = *static_cast<State*>(self);
  const int wrong = mbedtls_ssl_cookie_check(&state.cookies, cookie, length, id, size);
  state.cookie_is_right = wrong == 0;
  return wrong;
}

// It goes as far as to read the hello, and to answer one that has no cookie; the expensive part is for the stranger's own session.
Verdict Context::State::ask(Link& stranger, const Address& remote,
                            std::span<const std::byte> datagram) noexcept {
  if (!is_client_hello(datagram) || mbedtls_ssl_session_reset(&door) != 0) return Verdict::ignored;
  Stranger asked{stranger, datagram};
  mbedtls_ssl_set_bio(&door, &asked, Stranger::send, Stranger::receive, nullptr);
  cookie_is_right = false;
  const auto id = transport_id(remote);
  int result = mbedtls_ssl_set_client_transport_id(&door, id.data(), id.size());
  while (result == 0 && !cookie_is_right) result = mbedtls_ssl_handshake_step(&door);
  mbedtls_ssl_set_bio(&door, nullptr, nullptr, nullptr, nullptr);
  if (cookie_is_right) return Verdict::known;
  return result == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED ? Verdict::answered : Verdict::ignored;
}

}  // namespace popsgd::secure
