// An authority, and the certificates it gives: made anew for each test, by mbedTLS.
#pragma once

#include <popsgd/secure/context.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

namespace popsgd::test {

inline int draw(void* engine, unsigned char* into, std::size_t size) {
  for (unsigned char& byte : std::span(into, size))
    byte = static_cast<unsigned char>((*static_cast<std::mt19937*>(engine))());
  return 0;
}

inline void must(int error) {
  if (error < 0) std::abort();
}

/// What a certificate says. Days are from now.
struct Claims {
  const char* name = "plants";
  int first_day = -1;
  int last_day = 14;
  const char* usages = "both";  ///< "both", "server" or "none"
};

class Holder {
 public:
  explicit Holder(std::uint32_t seed) : random_(seed) {
    mbedtls_pk_init(&key);
    must(mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)));
    must(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), draw, &random_));
  }
  ~Holder() { mbedtls_pk_free(&key); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  Holder(Holder&&) = delete;
  Holder& operator=(Holder&&) = delete;

  [[nodiscard]] std::vector<std::byte> key_bytes() {
    std::vector<unsigned char> pem(2000);
    must(mbedtls_pk_write_key_pem(&key, pem.data(), pem.size()));
    return text(pem);
  }

  /// One of `holder`, signed by this.
  [[nodiscard]] std::vector<std::byte> certify(Holder& holder, const Claims& claims, bool authority = false) {
    mbedtls_x509write_cert paper;
    mbedtls_x509write_crt_init(&paper);
    const std::string subject = "CN=" + std::string(claims.name);
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    must(mbedtls_mpi_lset(&number, 1 + static_cast<int>(random_() % 1000)));
    must(mbedtls_x509write_crt_set_serial(&paper, &number));
    mbedtls_mpi_free(&number);
    mbedtls_x509write_crt_set_version(&paper, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&paper, MBEDTLS_MD_SHA256);
    must(mbedtls_x509write_crt_set_subject_name(&paper, subject.c_str()));
    must(mbedtls_x509write_crt_set_issuer_name(&paper, authority ? subject.c_str() : "CN=authority"));
    mbedtls_x509write_crt_set_subject_key(&paper, &holder.key);
    mbedtls_x509write_crt_set_issuer_key(&paper, &key);
    must(mbedtls_x509write_crt_set_validity(&paper, day(claims.first_day).c_str(),
                                            day(claims.last_day).c_str()));
    must(mbedtls_x509write_crt_set_basic_constraints(&paper, authority ? 1 : 0, -1));
    if (!authority) extend(paper, claims);
    std::vector<unsigned char> pem(4000);
    must(mbedtls_x509write_crt_pem(&paper, pem.data(), pem.size(), draw, &random_));
    mbedtls_x509write_crt_free(&paper);
    return text(pem);
  }

  mbedtls_pk_context key{};

 private:
  static std::vector<std::byte> text(const std::vector<unsigned char>& pem) {
    const auto bytes =
        std::as_bytes(std::span(pem)).first(std::strlen(reinterpret_cast<const char*>(pem.data())) + 1);
    return {bytes.begin(), bytes.end()};
  }
  static std::string day(int from_now) {
    const std::time_t then = std::time(nullptr) + from_now * 86400;
    char written[16];
    std::strftime(written, sizeof(written), "%Y%m%d%H%M%S", std::gmtime(&then));
    return written;
  }
  // Extended usages (RFC 5280, 4.2.1.12): id-kp-serverAuth and id-kp-clientAuth; the name (4.2.1.6): a dNSName.
  static void extend(mbedtls_x509write_cert& paper, const Claims& claims) {
    std::string usages(
        "\x30\x14\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x02", 22);
    if (std::strcmp(claims.usages, "server") == 0) usages = std::string("\x30\x0A", 2) + usages.substr(2, 10);
    if (std::strcmp(claims.usages, "none") != 0)
      put(paper, MBEDTLS_OID_EXTENDED_KEY_USAGE, MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), usages);
    const std::string name = claims.name;
    const auto length = static_cast<char>(name.size());
    const std::string names = std::string{'\x30', static_cast<char>(length + 2), '\x82', length} + name;
    put(paper, MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), names);
  }
  static void put(mbedtls_x509write_cert& paper, const char* oid, std::size_t size,
                  const std::string& value) {
    must(mbedtls_x509write_crt_set_extension(
        &paper, oid, size, 0, reinterpret_cast<const unsigned char*>(value.data()), value.size()));
  }

  std::mt19937 random_;
};

}  // namespace popsgd::test
