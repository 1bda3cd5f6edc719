#include "bytes.h"
#include "context_state.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace popsgd::secure {
namespace {

const mbedtls_x509_crt_profile kProfile{
    .allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256),
    .allowed_pks = MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA),
    .allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1),
    .rsa_min_bitlen = 0,
};

std::chrono::sys_days day_of(const mbedtls_x509_time& time) {
  return std::chrono::year(time.year) / std::chrono::month(static_cast<unsigned>(time.mon)) /
         std::chrono::day(static_cast<unsigned>(time.day));
}

bool parse(mbedtls_x509_crt& certificate, std::span<const std::byte> bytes) noexcept {
  mbedtls_x509_crt_free(&certificate);
  mbedtls_x509_crt_init(&certificate);
  return mbedtls_x509_crt_parse(&certificate, chars(bytes), bytes.size()) == 0;
}

// A member calls and is called, so its certificate is for both. mbedTLS looks for the one use it has just now, and takes a
// certificate that lists none.
bool for_both(const mbedtls_x509_crt& certificate) noexcept {
  const auto lists = [&certificate](const char* use, std::size_t size) {
    return mbedtls_x509_crt_check_extended_key_usage(&certificate, use, size) == 0;
  };
  return has_extended_usage(certificate) &&
         lists(MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) &&
         lists(MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH));
}

}  // namespace

Status Context::State::load(const Certificates& certificates) noexcept {
  if (certificates.swarm.empty() || certificates.swarm.size() >= swarm.size()) return Status::invalid_field;
  swarm.fill('\0');
  std::ranges::copy(certificates.swarm, swarm.begin());
  longest_days = certificates.longest_days;
  mbedtls_pk_free(&key);
  mbedtls_pk_init(&key);
  const bool read = parse(authority, certificates.authority) && parse(own, certificates.own) &&
                    parse_key(key, chars(certificates.key), certificates.key.size(), random) == 0;
  return read && check_pair(own.pk, key, random) == 0 ? Status::ok : Status::invalid_field;
}

// Both sides check the other's chain, use and name (RFC 5280, 4.2.1.12 and 4.2.1.6).
Status Context::State::certify(mbedtls_ssl_config& config) noexcept {
  only_our_signatures(config);
  mbedtls_ssl_conf_cert_profile(&config, &kProfile);
  mbedtls_ssl_conf_ca_chain(&config, &authority, nullptr);
  mbedtls_ssl_conf_verify(&config, verify, this);
  return mbedtls_ssl_conf_own_cert(&config, &own, &key) == 0 ? Status::ok : Status::no_room;
}

int Context::State::verify(void* self, mbedtls_x509_crt* certificate, int depth,
                           std::uint32_t* flags) noexcept {
  const State& state = *static_cast<State*>(self);
  if (depth > 0) return 0;
  const auto validity = day_of(certificate->valid_to) - day_of(certificate->valid_from);
  if (!for_both(*certificate)) *flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
  if (validity > std::chrono::days(state.longest_days)) *flags |= MBEDTLS_X509_BADCERT_OTHER;
  return 0;
}

}  // namespace popsgd::secure
