#include "checkpoint/slots.h"

#include "checkpoint/payload.h"

#include <popsgd/checkpoint.h>

#include <array>

namespace popsgd::checkpoint {
namespace {

struct Found {
  Header header{};
  bool entire = false;
  bool blank = false;
};

Status look(Store& store, unsigned slot, Found& found) noexcept {
  if (const Status status = store.read(slot, 0, found.header.bytes()); status != Status::ok) return status;
  const Condition condition = condition_of(found.header);
  found.blank = condition == Condition::blank;
  // One that is entire may be of a larger slot: the store was cut short.
  found.entire = condition == Condition::entire && fits(found.header, store.slot_size());
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
  const unsigned first = b.entire && (!a.entire || is_newer(b.header.sequence, a.header.sequence)) ? 1 : 0;

  slots.blank = a.blank && b.blank;
  if (found[first].entire) slots.last_sequence = found[first].header.sequence;
  for (const unsigned slot : {first, 1 - first}) {
    const Header& header = found[slot].header;
    if (!found[slot].entire) continue;
    bool entire = false;
    if (const Status status = check_payload(store, slot, header, entire); status != Status::ok) return status;
    if (!entire) continue;
    slots.newest = slot;
    slots.header = header;
    slots.last_sequence = header.sequence;
    break;
  }
  return Status::ok;
}

}  // namespace popsgd::checkpoint
