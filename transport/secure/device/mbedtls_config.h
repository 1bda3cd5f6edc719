// What mbedTLS 2.28 is made of for a microcontroller: the suites of a swarm's key over TLS and DTLS 1.2, as both ends; memory that
// is given to it; no files, clock, sockets or certificates. Built by POPSGD_MBEDTLS_SOURCE.
#ifndef MBEDTLS_CONFIG_H
#define MBEDTLS_CONFIG_H

// The host: memory from secure::use_memory(), randomness from an Entropy.
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#if defined(__LP64__)  // its headers hold pointers; 4 bytes is what it takes by itself
#define MBEDTLS_MEMORY_ALIGN_MULTIPLE 8
#endif
#define MBEDTLS_PLATFORM_EXIT_MACRO(status) __builtin_trap()  // somebody has written over the allocator's own
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_NO_PLATFORM_ENTROPY

// TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 over X25519, and TLS_PSK_WITH_CHACHA20_POLY1305_SHA256.
#define MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED
#define MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#define MBEDTLS_SSL_CIPHERSUITES \
  MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_HKDF_C
#define MBEDTLS_HMAC_DRBG_C

#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_DTLS
#define MBEDTLS_SSL_DTLS_HELLO_VERIFY
#define MBEDTLS_SSL_DTLS_ANTI_REPLAY
#define MBEDTLS_SSL_DTLS_BADMAC_LIMIT
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_COOKIE_C
#define MBEDTLS_SSL_CACHE_C

// RAM. Frames of a longest datagram; a point of X25519 has 32 bytes; HMAC_DRBG is asked for 64 at most.
#define MBEDTLS_SSL_IN_CONTENT_LEN 1200
#define MBEDTLS_SSL_OUT_CONTENT_LEN 1200
#define MBEDTLS_SSL_DTLS_MAX_BUFFERING 2048
#define MBEDTLS_MPI_MAX_SIZE 64
#define MBEDTLS_MPI_WINDOW_SIZE 1
#define MBEDTLS_ECP_WINDOW_SIZE 2
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_PSK_MAX_LEN 32

#include <mbedtls/check_config.h>

#endif
