#include "checkpoint/header.h"
#include "checkpoint/payload.h"
#include "checkpoint/slots.h"
#include "numeric/little_endian.h"

#include <popsgd/checkpoint.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace popsgd::checkpoint {
namespace {

using numeric::put;

static_assert(std::endian::native == std::endian::little, "a model is saved as it lies in memory");

std::span<const std::byte> bytes_of(const Snapshot& snapshot) noexcept {
  return snapshot.integers.empty() ? std::as_bytes(snapshot.parameters) : snapshot.integers;
}

Status write_payload(PayloadWriter& writer, const Snapshot& snapshot) noexcept {
  const std::span<const std::byte> model = bytes_of(snapshot);
  if (const Status status = writer.put(model); status != Status::ok) return status;
  const std::array<std::byte, 4> zeros{};
  const auto rest = std::span(zeros).first(sizeof(float) * words(model.size()) - model.size());
  if (const Status status = writer.put(rest); status != Status::ok) return status;
  std::array<std::byte, 8> eight{};
  put(eight, 0, snapshot.steps.bits());
  if (const Status status = writer.put(eight); status != Status::ok) return status;
  if (const Status status = writer.put(snapshot.records); status != Status::ok) return status;
  return writer.finish();
}

/// The payload, durable; sets the header's checksum of it.
Status save_payload(Store& store, unsigned slot, const Snapshot& snapshot, Header& header) noexcept {
  PayloadWriter writer(store, slot);
  if (const Status status = write_payload(writer, snapshot); status != Status::ok) return status;
  header.payload_crc = writer.crc();
  return store.sync();
}

Status save_header(Store& store, unsigned slot, Header& header) noexcept {
  seal(header);
  std::array<std::byte, Store::kPage> page{};
  std::ranges::copy(header.bytes(), page.begin());
  if (const Status status = store.write(slot, 0, page); status != Status::ok) return status;
  return store.sync();
}

/// Erased, durably: else the slot's old header could come to stand before a payload that is partly new.
Status clear(Store& store, unsigned slot) noexcept {
  if (const Status status = store.erase(slot); status != Status::ok) return status;
  return store.sync();
}

}  // namespace

Status save(Store& store, const Snapshot& snapshot) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const std::size_t model = bytes_of(snapshot).size();
  if (std::uint64_t{model} / 4 > kMost || std::uint64_t{snapshot.records.size()} > kMost) {
    return Status::invalid_size;
  }
  Header header{.parameters = words(model),
                .fingerprint = snapshot.fingerprint,
                .records = static_cast<std::uint32_t>(snapshot.records.size())};
  if (!fits(header, store.slot_size())) return Status::store_too_small;

  Slots slots;
  if (const Status status = survey(store, slots); status != Status::ok) return status;
  header.sequence = slots.last_sequence + 1;
  const unsigned slot = slots.newest ? 1 - *slots.newest : 0;

  if (const Status status = clear(store, slot); status != Status::ok) return status;
  if (const Status status = save_payload(store, slot, snapshot, header); status != Status::ok) return status;
  return save_header(store, slot, header);
}

}  // namespace popsgd::checkpoint
