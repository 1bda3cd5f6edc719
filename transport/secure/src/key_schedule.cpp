#include "bytes.h"

#include <popsgd/assert.h>
#include <popsgd/secure/key_schedule.h>

#include <algorithm>
#include <string_view>

#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

namespace popsgd::secure {
namespace {

const mbedtls_md_info_t* sha256() noexcept {
  return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
}

// All that can fail is the allocation of a hash's state.
Status status_of(int error) noexcept {
  return error == 0 ? Status::ok : Status::no_room;
}

Status expand(const Key& extracted, std::string_view label, std::uint32_t epoch,
              std::span<std::byte> into) noexcept {
  std::array<unsigned char, 16> info{};
  POPSGD_ASSERT(label.size() + 4 <= info.size());
  auto end = std::ranges::copy(label, info.begin()).out;
  for (int shift = 24; shift >= 0; shift -= 8) *end++ = static_cast<unsigned char>(epoch >> shift);
  return status_of(mbedtls_hkdf_expand(sha256(), chars(extracted), extracted.size(), info.data(),
                                       label.size() + 4, writable_chars(into), into.size()));
}

}  // namespace

Status derive(std::span<const std::byte, kKeySize> swarm_key, std::uint32_t epoch, EpochKeys& into) noexcept {
  constexpr std::string_view salt = "popsgd swarm key 1";
  Key extracted{};
  std::array<std::byte, 8> hint{};
  into.epoch = epoch;
  Status status =
      status_of(mbedtls_hkdf_extract(sha256(), chars(std::as_bytes(std::span(salt))), salt.size(),
                                     chars(swarm_key), swarm_key.size(), writable_chars(extracted)));
  if (status == Status::ok) status = expand(extracted, "identity", epoch, hint);
  if (status == Status::ok) status = expand(extracted, "tls psk", epoch, into.psk);
  if (status == Status::ok) status = expand(extracted, "beacon", epoch, into.beacon);
  forget(extracted);
  for (std::size_t k = 0; k < into.identity.size(); ++k)
    into.identity[k] =
        "0123456789abcdef"[std::to_integer<unsigned>(hint[k / 2] >> (k % 2 == 0 ? 4 : 0)) & 15U];
  return status;
}

Status tag(const Key& key, std::span<const std::byte> message, std::span<std::byte> tag) noexcept {
  POPSGD_ASSERT(tag.size() >= 8 && tag.size() <= kKeySize);
  std::array<std::byte, 32> whole{};
  const Status status = status_of(mbedtls_md_hmac(sha256(), chars(key), key.size(), chars(message),
                                                  message.size(), writable_chars(whole)));
  std::copy_n(whole.begin(), tag.size(), tag.begin());
  return status;
}

bool verify(const Key& key, std::span<const std::byte> message, std::span<const std::byte> tag) noexcept {
  std::array<std::byte, 32> whole{};
  if (tag.size() < 8 || tag.size() > whole.size() || secure::tag(key, message, whole) != Status::ok)
    return false;
  std::byte difference{};
  for (std::size_t k = 0; k < tag.size(); ++k) difference |= whole[k] ^ tag[k];
  return difference == std::byte{0};
}

void forget(std::span<std::byte> key) noexcept {
  mbedtls_platform_zeroize(key.data(), key.size());
}

}  // namespace popsgd::secure
