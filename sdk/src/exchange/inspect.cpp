#include "checkpoint/header.h"
#include "checkpoint/payload.h"
#include "exchange/records.h"
#include "numeric/little_endian.h"

#include <popsgd/checkpoint.h>
#include <popsgd/inspect.h>

#include <algorithm>
#include <array>
#include <bit>

namespace popsgd::checkpoint {
namespace {

using RecordBytes = std::array<std::byte, sizeof(Records)>;

/// Takes `count` bytes without keeping them.
Status skip(PayloadReader& reader, std::uint64_t count) noexcept {
  std::array<std::byte, 64> some{};
  while (count > 0) {
    const auto piece =
        std::span(some).first(static_cast<std::size_t>(std::min<std::uint64_t>(some.size(), count)));
    if (const Status status = reader.get(piece); status != Status::ok) return status;
    count -= piece.size();
  }
  return Status::ok;
}

std::optional<AgentRecords> agent_of(const RecordBytes& bytes, std::uint64_t size) noexcept {
  const auto head = std::bit_cast<Records>(bytes);
  if (size < sizeof(Records) || head.version != Records::kVersion || head.fresh > 1) return std::nullopt;
  return AgentRecords{.version = head.version,
                      .fresh = head.fresh == 1,
                      .steps = head.steps,
                      .last_update = head.last_update,
                      .finished = head.finished,
                      .gates = head.gates,
                      .gate_length = head.gate_length,
                      .estimates = head.estimates};
}

/// Reads the payload; the header is entire and fits the slot.
Status describe_payload(Store& store, unsigned slot, const Header& header, Description& found) noexcept {
  PayloadReader reader(store, slot, static_cast<std::size_t>(header.payload()));
  if (const Status status = skip(reader, std::uint64_t{4} * header.parameters); status != Status::ok)
    return status;
  std::array<std::byte, 8> steps{};
  if (const Status status = reader.get(steps); status != Status::ok) return status;
  RecordBytes records{};
  const auto head = std::span(records).first(std::min<std::size_t>(records.size(), header.records));
  if (const Status status = reader.get(head); status != Status::ok) return status;
  if (const Status status = reader.skip_rest(); status != Status::ok) return status;
  if (reader.crc() != header.payload_crc) {
    found.condition = Condition::payload_damaged;
    return Status::ok;
  }
  found.condition = Condition::entire;
  found.steps = StepCounter::from_bits(numeric::get<std::uint64_t>(steps, 0));
  found.agent = agent_of(records, header.records);
  return Status::ok;
}

}  // namespace

std::string_view text(Condition condition) noexcept {
  switch (condition) {
    case Condition::entire:
      return "entire";
    case Condition::blank:
      return "blank";
    case Condition::foreign:
      return "no checkpoint begins like this";
    case Condition::version:
      return "a version that is not known";
    case Condition::header_damaged:
      return "the header's checksum is wrong";
    case Condition::too_long:
      return "cut short: the header describes more than there is";
    case Condition::payload_damaged:
      return "the payload's checksum is wrong";
  }
  return "unknown condition";
}

Result<Description> describe(Store& store, unsigned slot) noexcept {
  if (store.slot_size() < Store::kPage) return Status::store_too_small;
  Header header;
  if (const Status status = store.read(slot, 0, header.bytes()); status != Status::ok) return status;
  Description found{.condition = condition_of(header)};
  if (found.condition != Condition::entire) return found;
  found.fingerprint = header.fingerprint;
  found.sequence = header.sequence;
  found.parameters = header.parameters;
  found.records = header.records;
  if (slot_size(header.parameters, header.records) > store.slot_size()) {
    found.condition = Condition::too_long;
    return found;
  }
  if (const Status status = describe_payload(store, slot, header, found); status != Status::ok) return status;
  return found;
}

}  // namespace popsgd::checkpoint
