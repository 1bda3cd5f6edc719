// What mbedTLS' errors mean to whoever guards a gate.
#pragma once

#include "mbedtls.h"

#include <popsgd/secure/refusal.h>

#include <mbedtls/cipher.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>

namespace popsgd::secure {

[[nodiscard]] Refusal refusal_of_alert(int description) noexcept;
/// `error`: why the handshake of `ssl` ended.
[[nodiscard]] Refusal refusal_of(int error, const mbedtls_ssl_context& ssl) noexcept;

}  // namespace popsgd::secure
