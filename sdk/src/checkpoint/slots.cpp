#include "checkpoint/slots.h"

#include "checkpoint/payload.h"

#include <popsgd/checkpoint.h>

#include <array>

namespace popsgd::checkpoint {
namespace {

struct Found {
  std::optional<Header> header{};
  bool blank = false;
};

Status look(Store& store, unsigned slot, Found& found) noexcept {
  HeaderBytes bytes{};
  if (const Status status = store.read(slot, 0, bytes); status != Status::ok) return status;
  found.header = decode(bytes);
  found.blank = is_blank(bytes);
  if (found.header && slot_size(found.header->parameters, found.header->records) > store.slot_size()) {
    found.header.reset();  // an entire header, but of a larger slot: the store was cut short
  }
  return Status::ok;
}

Status check_payload(Store& store, unsigned slot, const Header& header, bool& entire) noexcept {
  PayloadReader reader(store, slot, static_cast<std::size_t>(header.payload()));
  const Status status = reader.skip_rest();
  entire = reader.crc() == header.payload_crc;
  return status;
}

}  // namespace

Status survey(Store& store, Slots& slots) noexcept {
  if (store.slot_size() < Store::kPage) return Status::store_too_small;
  // The program before us may have ended between a header and its sync. What is readable must be durable, too, before
  // anybody builds on it, or erases the slot that may be all that would be left.
  if (const Status status = store.sync(); status != Status::ok) return status;
  std::array<Found, Store::kSlots> found{};
  for (unsigned slot = 0; slot < found.size(); ++slot) {
    if (const Status status = look(store, slot, found[slot]); status != Status::ok) return status;
  }
  const auto& [a, b] = found;
  const unsigned first = b.header && (!a.header || is_newer(b.header->sequence, a.header->sequence)) ? 1 : 0;

  slots.blank = a.blank && b.blank;
  if (found[first].header) slots.last_sequence = found[first].header->sequence;
  for (const unsigned slot : {first, 1 - first}) {
    if (!found[slot].header) continue;
    bool entire = false;
    const Status status = check_payload(store, slot, *found[slot].header, entire);
    if (status != Status::ok) return status;
    if (!entire) continue;
    slots.newest = slot;
    slots.header = *found[slot].header;
    slots.last_sequence = slots.header.sequence;
    break;
  }
  return Status::ok;
}

}  // namespace popsgd::checkpoint
