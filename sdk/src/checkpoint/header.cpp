#include "checkpoint/header.h"

#include "numeric/crc32c.h"
#include "numeric/little_endian.h"

#include <algorithm>
#include <span>

namespace popsgd::checkpoint {
namespace {

using numeric::get;
using numeric::put;

constexpr std::array<char, 8> kMagic{'P', 'o', 'p', 'S', 'G', 'D', '\r', '\n'};

// Where the fields are; the table in sdk/README.md.
constexpr std::size_t kAtVersion = 8;
constexpr std::size_t kAtLength = 10;
constexpr std::size_t kAtParameters = 12;
constexpr std::size_t kAtFingerprint = 16;
constexpr std::size_t kAtSequence = 24;
constexpr std::size_t kAtRecords = 32;
constexpr std::size_t kAtPayloadCrc = 36;
constexpr std::size_t kAtHeaderCrc = 40;
static_assert(kAtHeaderCrc + 4 == kHeaderLength);

std::uint32_t checksum(const HeaderBytes& bytes) noexcept {
  return numeric::crc32c(std::span(bytes).first<kAtHeaderCrc>());
}

bool has_magic(const HeaderBytes& bytes) noexcept {
  return std::equal(kMagic.begin(), kMagic.end(), bytes.begin(),
                    [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

}  // namespace

HeaderBytes encode(const Header& header) noexcept {
  HeaderBytes bytes{};
  std::transform(kMagic.begin(), kMagic.end(), bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  put(bytes, kAtVersion, kVersion);
  put(bytes, kAtLength, static_cast<std::uint16_t>(kHeaderLength));
  put(bytes, kAtParameters, header.parameters);
  put(bytes, kAtFingerprint, header.fingerprint);
  put(bytes, kAtSequence, header.sequence);
  put(bytes, kAtRecords, header.records);
  put(bytes, kAtPayloadCrc, header.payload_crc);
  put(bytes, kAtHeaderCrc, checksum(bytes));
  return bytes;
}

Condition condition_of(const HeaderBytes& bytes) noexcept {
  if (is_blank(bytes)) return Condition::blank;
  if (!has_magic(bytes)) return Condition::foreign;
  const bool known = get<std::uint16_t>(bytes, kAtVersion) == kVersion &&
                     get<std::uint16_t>(bytes, kAtLength) == kHeaderLength;
  if (!known) return Condition::version;
  return get<std::uint32_t>(bytes, kAtHeaderCrc) == checksum(bytes) ? Condition::entire
                                                                    : Condition::header_damaged;
}

std::optional<Header> decode(const HeaderBytes& bytes) noexcept {
  if (condition_of(bytes) != Condition::entire) return std::nullopt;
  return Header{.parameters = get<std::uint32_t>(bytes, kAtParameters),
                .fingerprint = get<std::uint64_t>(bytes, kAtFingerprint),
                .sequence = get<std::uint64_t>(bytes, kAtSequence),
                .records = get<std::uint32_t>(bytes, kAtRecords),
                .payload_crc = get<std::uint32_t>(bytes, kAtPayloadCrc)};
}

bool is_blank(const HeaderBytes& bytes) noexcept {
  const auto all = [&bytes](std::byte value) {
    return std::ranges::count(bytes, value) == std::ssize(bytes);
  };
  return all(std::byte{0x00}) || all(std::byte{0xFF});
}

}  // namespace popsgd::checkpoint
