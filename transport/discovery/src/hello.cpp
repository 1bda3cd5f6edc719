#include "bytes.h"

#include <popsgd/discovery/hello.h>

#include <algorithm>

namespace popsgd::discovery {
namespace {

constexpr std::size_t kHead = 8;
constexpr std::size_t kEntry = 20;
constexpr std::size_t kChecksum = 4;

}  // namespace

bool is_hello(std::span<const std::byte> message) noexcept {
  return begins_with(message, kHelloMagic);
}

bool is_peers(std::span<const std::byte> message) noexcept {
  return begins_with(message, kPeersMagic);
}

std::size_t encode_peers(std::span<const Endpoint> endpoints, PeersBytes& into) noexcept {
  endpoints = endpoints.first(std::min(endpoints.size(), kPeersPerMessage));
  Writer writer(into);
  writer.number(kPeersMagic);
  writer.number(kVersion);
  writer.number(static_cast<std::uint8_t>(endpoints.size()));
  writer.number(std::uint16_t{0});
  for (const Endpoint& endpoint : endpoints) {
    writer.bytes(endpoint.address.ip);
    writer.number(endpoint.address.port);
    writer.number(static_cast<std::uint8_t>(endpoint.transport));
    writer.number(std::uint8_t{0});
  }
  writer.number(crc32c(std::span<const std::byte>(into).first(writer.at())));
  return writer.at();
}

Refusal decode_peers(std::span<const std::byte> bytes, PeerList& into) noexcept {
  if (!is_peers(bytes)) return Refusal::wrong_magic;
  if (bytes.size() > 4 && bytes[4] != std::byte{kVersion}) return Refusal::unknown_version;
  if (bytes.size() < kHead + kChecksum) return Refusal::wrong_length;
  Reader reader(bytes);
  reader.skip(5);
  PeerList list;
  list.size = reader.number<std::uint8_t>();
  if (list.size > kPeersPerMessage) return Refusal::invalid_field;
  if (bytes.size() != kHead + kEntry * list.size + kChecksum) return Refusal::wrong_length;
  if (!intact(bytes)) return Refusal::damaged;
  reader.skip(2);
  for (Endpoint& endpoint : std::span(list.endpoints).first(list.size)) {
    reader.bytes(endpoint.address.ip);
    endpoint.address.port = reader.number<std::uint16_t>();
    const auto transport = reader.number<std::uint8_t>();
    if (transport > static_cast<std::uint8_t>(Transport::udp)) return Refusal::invalid_field;
    endpoint.transport = static_cast<Transport>(transport);
    reader.skip(1);
  }
  into = list;
  return Refusal::none;
}

}  // namespace popsgd::discovery
