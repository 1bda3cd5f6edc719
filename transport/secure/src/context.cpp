#include "bytes.h"
#include "context_state.h"
#include "memory.h"

#include <algorithm>
#include <cstring>

#if defined(MBEDTLS_MEMORY_BUFFER_ALLOC_C)
#include <mbedtls/memory_buffer_alloc.h>
#endif

namespace popsgd::secure {
namespace {

constexpr int kForwardSecret[] = {MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, 0};
constexpr int kSmall[] = {MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, 0};
constexpr int kCertified[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, 0};

// Forgeries that a session survives: far below what ChaCha20-Poly1305 bears (2^36: RFC 9147, 4.5.3), far above what somebody who
// does not hear the members can send in passing to end their session.
constexpr unsigned kForgeries = 1U << 16;

Status status_of(int error) noexcept {
  return error == 0 ? Status::ok : Status::no_room;
}

}  // namespace

Status use_memory(std::span<std::byte> memory) noexcept {
#if defined(MBEDTLS_MEMORY_BUFFER_ALLOC_C)
  mbedtls_memory_buffer_alloc_init(writable_chars(memory), memory.size());
  return Status::ok;
#else
  static_cast<void>(memory);
  return Status::no_function;
#endif
}

Context::Context(Entropy& entropy, Clock& clock, const Options& options) noexcept
    : state_(make<State>(entropy, clock, options)) {}

Context::~Context() {
  destroy(state_);
}

Status Context::use(const SwarmKeys& keys) noexcept {
  if (state_ == nullptr) return Status::no_room;
  if (const Status status = state_->seed(); status != Status::ok) return status;
  state_->current = keys.current;
  state_->has_previous = keys.previous.has_value();
  if (keys.previous) state_->previous = *keys.previous;
  state_->certified = false;
  return state_->configure(keys.forward_secret ? kForwardSecret : kSmall);
}

Status Context::use(const Certificates& certificates) noexcept {
  if (state_ == nullptr) return Status::no_room;
  if (const Status status = state_->seed(); status != Status::ok) return status;
  if (const Status status = state_->load(certificates); status != Status::ok) return status;
  state_->certified = true;
  return state_->configure(kCertified);
}

// --- the state

Context::State::State(Entropy& entropy_source, Clock& time, const Options& with) noexcept
    : entropy(entropy_source), clock(time), options(with) {
  mbedtls_ctr_drbg_init(&random);
  for (auto& client : clients) {
    for (auto& config : client) mbedtls_ssl_config_init(&config);
  }
  for (auto& config : servers) mbedtls_ssl_config_init(&config);
  mbedtls_ssl_cache_init(&cache);
  mbedtls_ssl_cookie_init(&cookies);
  mbedtls_ssl_init(&door);
  mbedtls_x509_crt_init(&authority);
  mbedtls_x509_crt_init(&own);
  mbedtls_pk_init(&key);
}

Context::State::~State() {
  mbedtls_ssl_free(&door);
  mbedtls_ssl_cookie_free(&cookies);
  mbedtls_ssl_cache_free(&cache);
  for (auto& client : clients) {
    for (auto& config : client) mbedtls_ssl_config_free(&config);
  }
  for (auto& config : servers) mbedtls_ssl_config_free(&config);
  mbedtls_pk_free(&key);
  mbedtls_x509_crt_free(&own);
  mbedtls_x509_crt_free(&authority);
  mbedtls_ctr_drbg_free(&random);
  forget_sessions();
  destroy(remembered, options.remembered);
  for (EpochKeys* keys : {&current, &previous}) {
    forget(keys->psk);
    forget(keys->beacon);
  }
}

int Context::State::draw(void* self, unsigned char* into, std::size_t size) noexcept {
  const Status status =
      static_cast<State*>(self)->entropy.fill(std::as_writable_bytes(std::span(into, size)));
  return status == Status::ok ? 0 : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

Status Context::State::seed() noexcept {
  if (seeded) return Status::ok;
  if (mbedtls_ctr_drbg_seed(&random, draw, this, nullptr, 0) != 0) {
    mbedtls_ctr_drbg_free(&random);
    mbedtls_ctr_drbg_init(&random);
    return Status::no_entropy;
  }
  if (options.remembered > 0 && remembered == nullptr)
    remembered = make_several<Remembered>(options.remembered);
  if (options.remembered > 0 && remembered == nullptr) return Status::no_room;
  seeded = true;
  return Status::ok;
}

Status Context::State::configure(const int* suites) noexcept {
  ready = false;
  forget_sessions();
  mbedtls_ssl_cache_free(&cache);
  mbedtls_ssl_cache_init(&cache);
  mbedtls_ssl_cache_set_max_entries(&cache, static_cast<int>(options.remembered));
#if defined(MBEDTLS_HAVE_TIME)
  mbedtls_ssl_cache_set_timeout(&cache, static_cast<int>(options.session_age / 1000));
#endif
  mbedtls_ssl_free(&door);
  mbedtls_ssl_init(&door);
  mbedtls_ssl_cookie_free(&cookies);
  mbedtls_ssl_cookie_init(&cookies);
  Status status = options.cookies
                      ? status_of(mbedtls_ssl_cookie_setup(&cookies, mbedtls_ctr_drbg_random, &random))
                      : Status::ok;
  for (int transport : {MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_TRANSPORT_DATAGRAM}) {
    const std::size_t at = transport == MBEDTLS_SSL_TRANSPORT_DATAGRAM ? 1 : 0;
    if (status == Status::ok) status = configure(servers[at], MBEDTLS_SSL_IS_SERVER, transport, suites);
    for (std::size_t older = 0; older < 2; ++older) {
      mbedtls_ssl_config& client = clients[at][older];
      if (status == Status::ok) status = configure(client, MBEDTLS_SSL_IS_CLIENT, transport, suites);
      if (status != Status::ok || certified) continue;
      const EpochKeys& keys = older == 1 && has_previous ? previous : current;
      status = status_of(mbedtls_ssl_conf_psk(&client, chars(keys.psk), keys.psk.size(),
                                              chars(std::as_bytes(std::span(keys.identity))),
                                              keys.identity.size()));
    }
  }
  if (status == Status::ok && options.cookies) status = status_of(mbedtls_ssl_setup(&door, &servers[1]));
  ready = status == Status::ok;
  return status;
}

Status Context::State::configure(mbedtls_ssl_config& config, int endpoint, int transport,
                                 const int* suites) noexcept {
  mbedtls_ssl_config_free(&config);
  mbedtls_ssl_config_init(&config);
  if (mbedtls_ssl_config_defaults(&config, endpoint, transport, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
    return Status::no_room;
  only_tls12(config);
  only_our_groups(config, certified);
  mbedtls_ssl_conf_ciphersuites(&config, suites);
  mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
  mbedtls_ssl_conf_legacy_renegotiation(&config, MBEDTLS_SSL_LEGACY_BREAK_HANDSHAKE);
#if defined(MBEDTLS_SSL_RENEGOTIATION)
  mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C)
  mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
  if (transport == MBEDTLS_SSL_TRANSPORT_DATAGRAM) {
    mbedtls_ssl_conf_dtls_anti_replay(&config, MBEDTLS_SSL_ANTI_REPLAY_ENABLED);
    mbedtls_ssl_conf_dtls_badmac_limit(&config, kForgeries);
    mbedtls_ssl_conf_handshake_timeout(&config, options.retransmit_first, options.retransmit_last);
  }
  if (endpoint == MBEDTLS_SSL_IS_SERVER) {
    mbedtls_ssl_conf_dtls_cookies(&config, options.cookies ? write_cookie : nullptr,
                                  options.cookies ? check_cookie : nullptr, this);
    if (options.remembered > 0)
      mbedtls_ssl_conf_session_cache(&config, &cache, mbedtls_ssl_cache_get, mbedtls_ssl_cache_set);
    if (!certified) mbedtls_ssl_conf_psk_cb(&config, find_psk, this);
  }
  return certified ? certify(config) : Status::ok;
}

const mbedtls_ssl_config& Context::State::config(bool client, bool datagrams, bool older) const noexcept {
  return client ? clients[datagrams ? 1 : 0][older ? 1 : 0] : servers[datagrams ? 1 : 0];
}

// The identity is no secret.
int Context::State::find_psk(void* self, mbedtls_ssl_context* ssl, const unsigned char* identity,
                             std::size_t size) noexcept {
  const State& state = *static_cast<State*>(self);
  for (const EpochKeys* keys : {&state.current, &state.previous}) {
    if (keys == &state.previous && !state.has_previous) break;
    if (size == keys->identity.size() && std::memcmp(identity, keys->identity.data(), size) == 0)
      return mbedtls_ssl_set_hs_psk(ssl, chars(keys->psk), keys->psk.size());
  }
  return -1;
}

// --- what is remembered

Remembered* Context::State::find(const Address& peer) noexcept {
  const std::span places(remembered, remembered == nullptr ? 0 : options.remembered);
  const auto found =
      std::ranges::find_if(places, [&](const Remembered& place) { return place.used && place.peer == peer; });
  return found == places.end() ? nullptr : &*found;
}

Remembered* Context::State::place_for(const Address& peer) noexcept {
  if (Remembered* const known = find(peer)) return known;
  if (remembered == nullptr) return nullptr;
  const Time now = clock.now();
  const auto age = [now](const Remembered& place) { return place.used ? now.since(place.at) : INT32_MAX; };
  Remembered& place = *std::ranges::max_element(std::span(remembered, options.remembered), {}, age);
  if (place.has_session) mbedtls_ssl_session_free(&place.session);
  place = {.peer = peer, .at = now, .used = true};
  return &place;
}

void Context::State::forget_sessions() noexcept {
  for (Remembered& place : std::span(remembered, remembered == nullptr ? 0 : options.remembered)) {
    if (place.has_session) mbedtls_ssl_session_free(&place.session);
    place = {};
  }
}

}  // namespace popsgd::secure
