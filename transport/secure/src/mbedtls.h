// mbedTLS 2.28 and 3 as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_MAJOR >= 3
#include <mbedtls/build_info.h>
#define POPSGD_MBEDTLS_FIELD(field) MBEDTLS_PRIVATE(field)
#else
#define POPSGD_MBEDTLS_FIELD(field) field
#endif

namespace popsgd::secure {

// TLS 1.2 and no other.
inline void only_tls12(mbedtls_ssl_config& config) {
#if MBEDTLS_VERSION_MAJOR >= 3
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_max_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
  mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_max_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

// With their key exchange only; `and_p256`: that of the certificates, too.
inline void only_our_groups(mbedtls_ssl_config& config, bool and_p256) {
#if MBEDTLS_VERSION_MAJOR >= 3
  static const std::uint16_t x25519[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
  static const std::uint16_t both[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                       MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
  mbedtls_ssl_conf_groups(&config, and_p256 ? both : x25519);
#else
  static const mbedtls_ecp_group_id x25519[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_NONE};
  static const mbedtls_ecp_group_id both[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                              MBEDTLS_ECP_DP_NONE};
  mbedtls_ssl_conf_curves(&config, and_p256 ? both : x25519);
#endif
}

// Signatures by ECDSA with SHA-256.
inline void only_our_signatures(mbedtls_ssl_config& config) {
#if MBEDTLS_VERSION_MAJOR >= 3
  static const std::uint16_t ours[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_NONE};
  mbedtls_ssl_conf_sig_algs(&config, ours);
#else
  static const int ours[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE};
  mbedtls_ssl_conf_sig_hashes(&config, ours);
#endif
}

inline int parse_key(mbedtls_pk_context& key, const unsigned char* bytes, std::size_t size,
                     mbedtls_ctr_drbg_context& random) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_pk_parse_key(&key, bytes, size, nullptr, 0, mbedtls_ctr_drbg_random, &random);
#else
  static_cast<void>(random);
  return mbedtls_pk_parse_key(&key, bytes, size, nullptr, 0);
#endif
}

inline int check_pair(const mbedtls_pk_context& certified, const mbedtls_pk_context& key,
                      mbedtls_ctr_drbg_context& random) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_pk_check_pair(&certified, &key, mbedtls_ctr_drbg_random, &random);
#else
  static_cast<void>(random);
  return mbedtls_pk_check_pair(&certified, &key);
#endif
}

inline bool has_extended_usage(const mbedtls_x509_crt& certificate) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_x509_crt_has_ext_type(&certificate, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) != 0;
#else
  return (certificate.ext_types & MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) != 0;
#endif
}

// The description of the alert that MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE speaks of (RFC 5246, 7.2).
inline int alert_of(const mbedtls_ssl_context& ssl) {
  return ssl.POPSGD_MBEDTLS_FIELD(in_msg) == nullptr ? 0 : ssl.POPSGD_MBEDTLS_FIELD(in_msg)[1];
}

// Bytes of a record that f_send has not taken yet.
inline std::size_t unsent(const mbedtls_ssl_context& ssl) {
  return ssl.POPSGD_MBEDTLS_FIELD(out_left);
}

// The session's identifier is what resuming it is asked by.
inline bool same_session(const mbedtls_ssl_session& a, const mbedtls_ssl_session& b) {
  const std::size_t length = a.POPSGD_MBEDTLS_FIELD(id_len);
  return length != 0 && length == b.POPSGD_MBEDTLS_FIELD(id_len) &&
         std::memcmp(a.POPSGD_MBEDTLS_FIELD(id), b.POPSGD_MBEDTLS_FIELD(id), length) == 0;
}

}  // namespace popsgd::secure
