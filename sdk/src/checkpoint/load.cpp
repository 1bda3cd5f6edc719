#include "checkpoint/payload.h"
#include "checkpoint/slots.h"
#include "numeric/little_endian.h"

#include <popsgd/checkpoint.h>

#include <array>
#include <bit>

namespace popsgd::checkpoint {
namespace {

using numeric::get;

static_assert(std::endian::native == std::endian::little, "a model is loaded as it lies in memory");

Status read_payload(PayloadReader& reader, std::span<std::byte> model, StepCounter& steps,
                    std::span<std::byte> records) noexcept {
  if (const Status status = reader.get(model); status != Status::ok) return status;
  std::array<std::byte, 4> zeros{};
  const auto rest = std::span(zeros).first(sizeof(float) * words(model.size()) - model.size());
  if (const Status status = reader.get(rest); status != Status::ok) return status;
  std::array<std::byte, 8> eight{};
  if (const Status status = reader.get(eight); status != Status::ok) return status;
  steps = StepCounter::from_bits(get<std::uint64_t>(eight, 0));
  return reader.get(records);
}

}  // namespace

Result<Loaded> load(Store& store, std::uint64_t fingerprint, Params parameters,
                    std::span<std::byte> records) noexcept {
  return load(store, fingerprint, std::as_writable_bytes(parameters), records);
}

[[gnu::noinline]] Status load(Store& store, std::uint64_t fingerprint, std::span<std::byte> integers,
                              std::span<std::byte> records, Loaded& loaded) noexcept {
  Slots slots;
  if (const Status status = survey(store, slots); status != Status::ok) return status;
  if (!slots.newest) return slots.blank ? Status::no_checkpoint : Status::checkpoint_damaged;
  const Header& header = slots.header;
  if (header.fingerprint != fingerprint) return Status::checkpoint_foreign;
  if (header.parameters != words(integers.size())) return Status::checkpoint_length;
  const bool fit = header.records <= records.size();

  loaded = {.records = header.records, .sequence = header.sequence};
  PayloadReader reader(store, *slots.newest, static_cast<std::size_t>(header.payload()));
  const auto room = fit ? records.first(header.records) : std::span<std::byte>{};
  Status status = read_payload(reader, integers, loaded.steps, room);
  if (status == Status::ok && !fit) status = reader.skip_rest();
  if (status != Status::ok) return status;
  return reader.crc() == header.payload_crc ? Status::ok : Status::checkpoint_changed;
}

}  // namespace popsgd::checkpoint
