// The two slots of a store, of any bytes: load() gives a status, and what it takes for a checkpoint can be saved and
// loaded again. describe() finds a checkpoint entire where load() finds one.
//
// Input: a byte of choices, then both slots, half each. Bit 0: the checksums are made right first, since no
// mutation hits upon them. Bit 1: the caller's model is of the length that slot 1 claims, otherwise slot 0.
#include <popsgd/checkpoint.h>
#include <popsgd/inspect.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

using popsgd::Status;
using popsgd::Store;
namespace checkpoint = popsgd::checkpoint;

constexpr std::size_t kHeader = 44;  // offsets: the table in sdk/README.md
constexpr std::size_t kMostParameters = 1U << 14;
constexpr std::size_t kMostRecords = 1U << 14;

void require(bool holds) {
  if (!holds) std::abort();
}

std::uint64_t number(std::span<const std::byte> from, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t k = bytes; k-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(from[at + k]);
  return value;
}

void put_checksum(std::span<std::byte> into, std::size_t at, std::span<const std::byte> of) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::byte byte : of) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ 0x82F63B78U : crc >> 1;
  }
  for (std::size_t k = 0; k < 4; ++k) into[at + k] = static_cast<std::byte>(~crc >> (8 * k));
}

/// Holds its callers to the ranges that store.h promises.
class Slots final : public Store {
 public:
  explicit Slots(std::span<const std::uint8_t> bytes) {
    const std::size_t size = bytes.size() / 2;
    for (std::size_t slot = 0; slot < 2; ++slot) {
      slots_[slot].resize(size);
      std::transform(bytes.begin() + static_cast<std::ptrdiff_t>(slot * size),
                     bytes.begin() + static_cast<std::ptrdiff_t>((slot + 1) * size), slots_[slot].begin(),
                     [](std::uint8_t b) { return static_cast<std::byte>(b); });
    }
  }

  [[nodiscard]] std::size_t slot_size() const noexcept override { return slots_[0].size(); }

  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override {
    const auto from = range(slot, offset, into.size());
    std::copy(from.begin(), from.end(), into.begin());
    return Status::ok;
  }

  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override {
    require(page.size() == kPage && offset % kPage == 0);
    std::copy(page.begin(), page.end(), range(slot, offset, page.size()).begin());
    return Status::ok;
  }

  [[nodiscard]] Status erase(unsigned slot) noexcept override {
    std::fill(slots_[slot].begin(), slots_[slot].end(), std::byte{0xFF});
    return Status::ok;
  }

  [[nodiscard]] Status sync() noexcept override { return Status::ok; }

  [[nodiscard]] std::span<const std::byte> slot(unsigned slot) const { return slots_[slot]; }

  /// Makes the checksums right, of the payload where its lengths fit the slot.
  void mend() {
    for (const std::span<std::byte> slot : slots_) {
      if (slot.size() < kPage) continue;
      const std::uint64_t payload = 4 * number(slot, 12, 4) + 8 + number(slot, 32, 4);
      if (payload <= slot.size() - kPage) put_checksum(slot, 36, slot.subspan(kPage, payload));
      put_checksum(slot, 40, slot.first(40));
    }
  }

 private:
  std::span<std::byte> range(unsigned slot, std::size_t offset, std::size_t length) {
    require(slot < 2 && offset <= slot_size() && length <= slot_size() - offset);
    return std::span(slots_[slot]).subspan(offset, length);
  }

  std::array<std::vector<std::byte>, 2> slots_;
};

struct Memory {
  std::vector<float> parameters;
  std::vector<std::byte> records;
};

bool equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

/// A checkpoint that was loaded is as good as any: saved, it is loaded again.
void check_again(Slots& slots, std::uint64_t fingerprint, Memory& memory, const checkpoint::Loaded& loaded) {
  if (loaded.records > memory.records.size()) return;  // they were left where they are
  memory.records.resize(loaded.records);
  require(checkpoint::save(slots, {fingerprint, memory.parameters, loaded.steps, memory.records}) ==
          Status::ok);
  Memory again{std::vector<float>(memory.parameters.size()), std::vector<std::byte>(memory.records.size())};
  const auto result = checkpoint::load(slots, fingerprint, again.parameters, again.records);
  require(result.ok() && result->steps == loaded.steps && result->records == loaded.records);
  require(result->sequence == loaded.sequence + 1);
  require(equal_bits(memory.parameters, again.parameters) && memory.records == again.records);
}

/// Whether describe() finds a checkpoint in either slot.
bool is_described(Slots& slots) {
  bool entire = false;
  for (const unsigned slot : {0U, 1U}) {
    const auto found = checkpoint::describe(slots, slot);
    require(found.ok() == (slots.slot_size() >= Store::kPage));
    if (!found.ok()) continue;
    require(!checkpoint::text(found->condition).empty());
    entire = entire || found->condition == checkpoint::Condition::entire;
  }
  return entire;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Slots slots(std::span(data, size).subspan(1));
  if ((data[0] & 1U) != 0) slots.mend();

  const auto claims = slots.slot((data[0] & 2U) != 0 ? 1 : 0);
  const bool has_header = claims.size() >= kHeader;
  const std::uint64_t fingerprint = has_header ? number(claims, 16, 8) : 0;
  const std::uint64_t parameters = has_header ? number(claims, 12, 4) : 0;
  Memory memory{std::vector<float>(std::min<std::uint64_t>(parameters, kMostParameters)),
                std::vector<std::byte>(kMostRecords)};
  const auto result = checkpoint::load(slots, fingerprint, memory.parameters, memory.records);
  require(!text(result.status()).empty());
  require(is_described(slots) == (result.ok() || result.status() == Status::checkpoint_foreign ||
                                  result.status() == Status::checkpoint_length));
  if (result.ok()) check_again(slots, fingerprint, memory, result.value());
  return 0;
}
