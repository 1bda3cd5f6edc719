// Handshake messages before they are encrypted, as whoever sits on the path sees and changes them: RFC 5246, 6.2.1 and 7.4; RFC 6347,
// 4.1 and 4.2.2.
#pragma once

#include "secure_pair.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace popsgd::test {

enum Said : std::uint8_t {
  client_hello = 1,
  server_hello = 2,
  server_key_exchange = 12,
  client_key_exchange = 16
};
enum Kind : std::uint8_t { change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23 };

inline std::uint8_t octet(std::byte byte) {
  return std::to_integer<std::uint8_t>(byte);
}
inline std::size_t number_at(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::size_t number = 0;
  for (std::size_t k = 0; k < size; ++k) number = number << 8 | octet(bytes[at + k]);
  return number;
}
inline void put_at(std::span<std::byte> bytes, std::size_t at, std::size_t size, std::size_t number) {
  for (std::size_t k = size; k-- > 0; number >>= 8) bytes[at + k] = static_cast<std::byte>(number & 0xFF);
}

/// A record: its header, and what is in it.
struct Record {
  std::span<std::byte> header;
  std::span<std::byte> content;
  [[nodiscard]] std::uint8_t kind() const { return octet(header[0]); }
};

/// All that are in a piece of what one side says. One that is not whole is left out.
inline std::vector<Record> records_in(std::span<std::byte> bytes, bool reliable) {
  const std::size_t size = reliable ? 5 : 13;
  std::vector<Record> records;
  while (bytes.size() >= size) {
    const std::size_t length = number_at(bytes, size - 2, 2);
    if (bytes.size() < size + length) break;
    records.push_back({bytes.first(size), bytes.subspan(size, length)});
    bytes = bytes.subspan(size + length);
  }
  return records;
}

/// The body of the handshake message of this kind, if it is there, in one piece and in the clear.
inline std::span<std::byte> body_of(Said said, std::span<std::byte> bytes, bool reliable) {
  const std::size_t header = reliable ? 4 : 12;
  for (const Record& record : records_in(bytes, reliable)) {
    const bool is_it = record.kind() == Kind::handshake && record.content.size() >= header &&
                       octet(record.content[0]) == said &&
                       number_at(record.content, 1, 3) == record.content.size() - header;
    if (is_it) return record.content.subspan(header);
  }
  return {};
}

/// Where a hello has its version: at its beginning; and its cipher suites (a server's: the one it chose).
inline std::size_t suites_in(std::span<const std::byte> hello, bool of_client, bool reliable) {
  std::size_t at = 2 + 32;
  at += 1 + number_at(hello, at, 1);                              // session
  if (of_client && !reliable) at += 1 + number_at(hello, at, 1);  // cookie
  return of_client ? at + 2 : at;
}

/// What a side has said, record by record.
class Overheard {
 public:
  explicit Overheard(bool reliable) : reliable_(reliable) {}
  void note(Bytes bytes) {
    for (const Record& record : records_in(bytes, reliable_)) {
      kinds.push_back(record.kind());
      if (record.kind() == Kind::alert && record.content.size() == 2)
        alerts.push_back(octet(record.content[1]));
    }
  }
  [[nodiscard]] bool has(Kind kind) const { return std::ranges::count(kinds, kind) > 0; }

  std::vector<std::uint8_t> kinds{};
  std::vector<std::uint8_t> alerts{};  ///< descriptions of those in the clear

 private:
  bool reliable_;
};

}  // namespace popsgd::test
