#include "checkpoint/header.h"

#include "numeric/crc32c.h"

#include <popsgd/store.h>

#include <algorithm>

namespace popsgd::checkpoint {
namespace {

std::uint32_t checksum(const Header& header) noexcept {
  return numeric::crc32c(header.bytes().first(offsetof(Header, crc)));
}

/// As an erased slot reads: all 0xFF or all 0x00.
bool is_blank(const Header& header) noexcept {
  const auto bytes = header.bytes();
  const std::byte first = bytes.front();
  return (first == std::byte{0x00} || first == std::byte{0xFF}) &&
         std::ranges::count(bytes, first) == std::ssize(bytes);
}

}  // namespace

void seal(Header& header) noexcept {
  header.crc = checksum(header);
}

Condition condition_of(const Header& header) noexcept {
  if (is_blank(header)) return Condition::blank;
  if (header.magic != Header{}.magic) return Condition::foreign;
  if (header.version != kVersion || header.length != kHeaderLength) return Condition::version;
  return header.crc == checksum(header) ? Condition::entire : Condition::header_damaged;
}

bool fits(const Header& header, std::size_t slot) noexcept {
  const std::size_t pages = slot / Store::kPage;
  return pages > 0 && header.payload() <= (pages - 1) * Store::kPage;
}

}  // namespace popsgd::checkpoint
