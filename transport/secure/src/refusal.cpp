#include "refusal_of.h"

namespace popsgd::secure {

std::string_view text(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::none:
      return "let in";
    case Refusal::unknown_key:
      return "names a key of another swarm or epoch";
    case Refusal::wrong_key:
      return "does not have the key it names";
    case Refusal::certificate:
      return "its certificate is not of this swarm, out of date, or not for this use";
    case Refusal::not_our_suite:
      return "offers no version, cipher suite or group that is spoken here";
    case Refusal::malformed:
      return "what it says is not TLS, or not what comes next";
    case Refusal::refused_by_peer:
      return "it ended the handshake";
    case Refusal::too_slow:
      return "the handshake took too long";
    case Refusal::gone:
      return "the path was lost during the handshake";
    case Refusal::no_memory:
      return "no memory is left for it";
    case Refusal::too_many_links:
      return "all places are taken";
    case Refusal::too_many_handshakes:
      return "too many handshakes are under way";
    case Refusal::too_often:
      return "too many handshakes from its address within a second";
  }
  return "?";
}

// RFC 5246, 7.2; 115: RFC 4279, 2.
Refusal refusal_of_alert(int description) noexcept {
  switch (description) {
    case 115:
      return Refusal::unknown_key;
    case MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC:
    case MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR:
      return Refusal::wrong_key;
    case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
    case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION:
    case MBEDTLS_SSL_ALERT_MSG_INSUFFICIENT_SECURITY:
      return Refusal::not_our_suite;
    case MBEDTLS_SSL_ALERT_MSG_BAD_CERT:
    case MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT:
    case MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED:
    case MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED:
    case MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN:
    case MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA:
      return Refusal::certificate;
    default:
      return Refusal::refused_by_peer;
  }
}

Refusal refusal_of(int error, const mbedtls_ssl_context& ssl) noexcept {
  switch (error) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
      return refusal_of_alert(alert_of(ssl));
    case MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY:
      return Refusal::unknown_key;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
      return Refusal::wrong_key;
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
    case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE:
      return Refusal::certificate;
    case MBEDTLS_ERR_SSL_TIMEOUT:
      return Refusal::too_slow;
    case MBEDTLS_ERR_NET_CONN_RESET:
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
      return Refusal::gone;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
    case MBEDTLS_ERR_MPI_ALLOC_FAILED:
    case MBEDTLS_ERR_ECP_ALLOC_FAILED:
    case MBEDTLS_ERR_MD_ALLOC_FAILED:
    case MBEDTLS_ERR_CIPHER_ALLOC_FAILED:
    case MBEDTLS_ERR_PK_ALLOC_FAILED:
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
      return Refusal::no_memory;
#if MBEDTLS_VERSION_MAJOR >= 3
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
    case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
      return Refusal::not_our_suite;
    case MBEDTLS_ERR_SSL_BAD_CERTIFICATE:
      return Refusal::certificate;
#else
    case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION:
    case MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN:
    case MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE:
      return Refusal::not_our_suite;
    case MBEDTLS_ERR_SSL_PEER_VERIFY_FAILED:
    case MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE:
      return Refusal::certificate;
#endif
    default:
      return Refusal::malformed;
  }
}

}  // namespace popsgd::secure
