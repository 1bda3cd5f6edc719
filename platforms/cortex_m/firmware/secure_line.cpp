#include "board.h"
#include "line.h"
#include "secure_wire.h"

#include <array>
#include <cstddef>
#include <memory>

namespace firmware {
namespace {

class SecureLine final : public Line {
 public:
  explicit SecureLine(Node& node) noexcept : wire_(board.port(), board.services(), node, memory_) {}

  [[nodiscard]] popsgd::Status open(const SwarmKey& key) noexcept { return wire_.open(key); }
  void feed(std::span<const std::byte> bytes) noexcept override { wire_.feed(bytes); }
  popsgd::Time turn() noexcept override { return wire_.turn(); }

 private:
  SecureWireMemory memory_;
  SecureWire wire_;
};

alignas(SecureLine) std::array<std::byte, sizeof(SecureLine)> room;  // it never ends, as the device does not

}  // namespace

popsgd::Result<Line*> line_for_members(const SwarmKey& key, Node& node) noexcept {
  SecureLine* const line = std::construct_at(reinterpret_cast<SecureLine*>(room.data()), node);
  const popsgd::Status status = line->open(key);
  return status == popsgd::Status::ok ? popsgd::Result<Line*>(line) : status;
}

}  // namespace firmware
