// The certificates of the swarm's authority and of this member.
#pragma once

#include "mbedtls.h"

#include <popsgd/secure/context.h>

#include <array>
#include <cstdint>

namespace popsgd::secure {

#if defined(MBEDTLS_X509_CRT_PARSE_C)

class Papers {
 public:
  Papers() noexcept;
  ~Papers();
  Papers(const Papers&) = delete;
  Papers& operator=(const Papers&) = delete;
  Papers(Papers&&) = delete;
  Papers& operator=(Papers&&) = delete;

  [[nodiscard]] Status load(const Certificates& certificates, mbedtls_hmac_drbg_context& random) noexcept;
  /// Both sides are to show theirs, and check the other's chain, use and name.
  [[nodiscard]] Status require(mbedtls_ssl_config& config) noexcept;
  [[nodiscard]] int expect_name(mbedtls_ssl_context& ssl) const noexcept {
    return mbedtls_ssl_set_hostname(&ssl, swarm_.data());
  }

 private:
  static int verify(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags) noexcept;

  mbedtls_x509_crt authority_{};
  mbedtls_x509_crt own_{};
  mbedtls_pk_context key_{};
  std::array<char, 64> swarm_{};
  std::uint32_t longest_days_ = 0;
};

#else

/// mbedTLS was built without.
class Papers {
 public:
  [[nodiscard]] Status load(const Certificates&, mbedtls_hmac_drbg_context&) noexcept {
    return Status::no_function;
  }
  [[nodiscard]] Status require(mbedtls_ssl_config&) noexcept { return Status::no_function; }
  [[nodiscard]] int expect_name(mbedtls_ssl_context&) const noexcept { return 0; }
};

#endif

}  // namespace popsgd::secure
