#include "bytes.h"

#include <popsgd/discovery/beacon.h>

namespace popsgd::discovery {
namespace {

constexpr std::uint8_t kKeyedVersion = 2;
constexpr std::size_t kCoded = 28;  // bytes before the code

AnnouncementBytes encode(std::uint32_t magic, const Announcement& said) {
  AnnouncementBytes bytes{};
  Writer writer(bytes);
  writer.number(magic);
  writer.number(said.keyed ? kKeyedVersion : kVersion);
  writer.number(said.flags);
  writer.number(said.tcp_port);
  writer.number(said.udp_port);
  writer.number(said.keyed ? said.epoch : std::uint16_t{0});
  writer.number(said.swarm);
  writer.number(said.id);
  writer.bytes(said.keyed ? said.code : BeaconCode{});
  writer.number(crc32c(std::span<const std::byte>(bytes).first(writer.at())));
  return bytes;
}

// A version is looked at before the length and the checksum, which may be others in a later one.
Refusal decode(std::uint32_t magic, std::uint8_t newest, std::span<const std::byte> bytes,
               Announcement& into) {
  if (!begins_with(bytes, magic)) return Refusal::wrong_magic;
  const auto version = bytes.size() > 4 ? std::to_integer<std::uint8_t>(bytes[4]) : kVersion;
  if (version < kVersion || version > newest) return Refusal::unknown_version;
  if (bytes.size() != kAnnouncement) return Refusal::wrong_length;
  if (!intact(bytes)) return Refusal::damaged;
  Announcement said;
  Reader reader(bytes);
  reader.skip(5);
  said.flags = reader.number<std::uint8_t>();
  said.tcp_port = reader.number<std::uint16_t>();
  said.udp_port = reader.number<std::uint16_t>();
  const auto epoch = reader.number<std::uint16_t>();
  said.swarm = reader.number<std::uint64_t>();
  said.id = reader.number<std::uint64_t>();
  said.keyed = version == kKeyedVersion;
  if (said.keyed) {
    said.epoch = epoch;
    reader.bytes(said.code);
  }
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

AnnouncementBytes encode_beacon(const Announcement& announcement, BeaconKey& key) noexcept {
  Announcement said = announcement;
  said.keyed = true;
  said.epoch = key.epoch();
  const AnnouncementBytes bytes = encode(kBeaconMagic, said);
  said.code = key.code(std::span<const std::byte>(bytes).first(kCoded));
  return encode(kBeaconMagic, said);
}

AnnouncementBytes encode_hello(const Announcement& announcement) noexcept {
  Announcement said = announcement;
  said.keyed = false;
  return encode(kHelloMagic, said);
}

Refusal decode_beacon(std::span<const std::byte> bytes, Announcement& into) noexcept {
  Announcement said;
  if (const Refusal refusal = decode(kBeaconMagic, kKeyedVersion, bytes, said); refusal != Refusal::none)
    return refusal;
  if (said.tcp_port == 0 && said.udp_port == 0) return Refusal::no_port;
  into = said;
  return Refusal::none;
}

Refusal decode_hello(std::span<const std::byte> bytes, Announcement& into) noexcept {
  return decode(kHelloMagic, kVersion, bytes, into);
}

Refusal proves(std::span<const std::byte> beacon, const Announcement& said, BeaconKey& key) noexcept {
  if (!said.keyed) return Refusal::unkeyed;
  if (!key.accepts(said.epoch)) return Refusal::other_epoch;
  return key.verify(said.epoch, beacon.first(kCoded), said.code) ? Refusal::none : Refusal::forged;
}

}  // namespace popsgd::discovery
