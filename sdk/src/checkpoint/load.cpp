#include "checkpoint/payload.h"
#include "checkpoint/slots.h"
#include "numeric/little_endian.h"

#include <popsgd/checkpoint.h>

#include <array>
#include <bit>

namespace popsgd::checkpoint {
namespace {

using numeric::get;

Status read_payload(PayloadReader& reader, Params parameters, StepCounter& steps,
                    std::span<std::byte> records) noexcept {
  std::array<std::byte, 4> four{};
  for (float& x : parameters) {
    if (const Status status = reader.get(four); status != Status::ok) return status;
    x = std::bit_cast<float>(get<std::uint32_t>(four, 0));
  }
  std::array<std::byte, 8> eight{};
  if (const Status status = reader.get(eight); status != Status::ok) return status;
  steps = StepCounter::from_bits(get<std::uint64_t>(eight, 0));
  return reader.get(records);
}

}  // namespace

Result<Loaded> load(Store& store, std::uint64_t fingerprint, Params parameters,
                    std::span<std::byte> records) noexcept {
  const auto slots = survey(store);
  if (!slots.ok()) return slots.status();
  if (!slots->newest) return slots->blank ? Status::no_checkpoint : Status::checkpoint_damaged;
  const Header& header = slots->header;
  if (header.fingerprint != fingerprint) return Status::checkpoint_foreign;
  if (header.parameters != parameters.size()) return Status::checkpoint_length;
  const bool fit = header.records <= records.size();

  Loaded loaded{.records = header.records, .sequence = header.sequence};
  PayloadReader reader(store, *slots->newest, static_cast<std::size_t>(header.payload()));
  const auto room = fit ? records.first(header.records) : std::span<std::byte>{};
  Status status = read_payload(reader, parameters, loaded.steps, room);
  if (status == Status::ok && !fit) status = reader.skip_rest();
  if (status != Status::ok) return status;
  if (reader.crc() != header.payload_crc) return Status::checkpoint_changed;
  return loaded;
}

}  // namespace popsgd::checkpoint
