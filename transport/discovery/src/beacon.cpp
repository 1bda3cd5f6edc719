#include "bytes.h"

#include <popsgd/discovery/beacon.h>

namespace popsgd::discovery {
namespace {

AnnouncementBytes encode(std::uint32_t magic, const Announcement& said) {
  AnnouncementBytes bytes{};
  Writer writer(bytes);
  writer.number(magic);
  writer.number(kVersion);
  writer.number(said.flags);
  writer.number(said.tcp_port);
  writer.number(said.udp_port);
  writer.number(std::uint16_t{0});
  writer.number(said.swarm);
  writer.number(said.id);
  writer.bytes(said.code);
  writer.number(crc32c(std::span<const std::byte>(bytes).first(writer.at())));
  return bytes;
}

// A version is looked at before the length and the checksum, which may be others in a later one.
Refusal decode(std::uint32_t magic, std::span<const std::byte> bytes, Announcement& into) {
  if (!begins_with(bytes, magic)) return Refusal::wrong_magic;
  if (bytes.size() > 4 && bytes[4] != std::byte{kVersion}) return Refusal::unknown_version;
  if (bytes.size() != kAnnouncement) return Refusal::wrong_length;
  if (!intact(bytes)) return Refusal::damaged;
  Announcement said;
  Reader reader(bytes);
  reader.skip(5);
  said.flags = reader.number<std::uint8_t>();
  said.tcp_port = reader.number<std::uint16_t>();
  said.udp_port = reader.number<std::uint16_t>();
  reader.skip(2);
  said.swarm = reader.number<std::uint64_t>();
  said.id = reader.number<std::uint64_t>();
  reader.bytes(said.code);
  if (said.id == 0) return Refusal::no_id;
  into = said;
  return Refusal::none;
}

}  // namespace

std::uint64_t swarm_tag(std::string_view name) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3U;
  return hash;
}

AnnouncementBytes encode_beacon(const Announcement& announcement) noexcept {
  return encode(kBeaconMagic, announcement);
}

AnnouncementBytes encode_hello(const Announcement& announcement) noexcept {
  return encode(kHelloMagic, announcement);
}

Refusal decode_beacon(std::span<const std::byte> bytes, Announcement& into) noexcept {
  Announcement said;
  if (const Refusal refusal = decode(kBeaconMagic, bytes, said); refusal != Refusal::none) return refusal;
  if (said.tcp_port == 0 && said.udp_port == 0) return Refusal::no_port;
  into = said;
  return Refusal::none;
}

Refusal decode_hello(std::span<const std::byte> bytes, Announcement& into) noexcept {
  return decode(kHelloMagic, bytes, into);
}

}  // namespace popsgd::discovery
