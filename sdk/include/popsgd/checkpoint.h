// What an agent knows, kept through a loss of power.
#pragma once

#include <popsgd/counter.h>
#include <popsgd/gradient.h>
#include <popsgd/status.h>
#include <popsgd/store.h>

#include <cstddef>
#include <cstdint>
#include <span>

/// Two slots, written in turn: a checkpoint is written beside its predecessor, and its header last, so that a cut of
/// power at any moment leaves one of the two, entire. The format is in sdk/README.md. No
/// function here takes more than 1.5 KiB of stack, the store's own apart; a page is all that is buffered.
namespace popsgd::checkpoint {

/// What is saved; views into the caller's memory.
struct Snapshot {
  std::uint64_t fingerprint = 0;          ///< of model and swarm: load() must be given the same
  ConstParams parameters{};               ///< any bits: NaN is kept as it is
  StepCounter steps{};                    ///< local steps, as gossip has averaged them
  std::span<const std::byte> records{};   ///< whatever else the caller must know again; opaque
  std::span<const std::byte> integers{};  ///< instead of parameters: as they lie in memory, little-endian
};

/// How many parameters of 4 bytes these many bytes of integers count for.
[[nodiscard]] constexpr std::uint32_t words(std::size_t bytes) noexcept {
  return static_cast<std::uint32_t>((bytes + 3) / 4);
}

/// What load() found, apart from what it put into the caller's memory.
struct Loaded {
  StepCounter steps{};
  std::size_t records = 0;     ///< bytes of records, loaded or not
  std::uint64_t sequence = 0;  ///< of this checkpoint: one more than its predecessor's
};

/// Bytes a slot must have for a model of so many parameters and so many bytes of records.
[[nodiscard]] constexpr std::uint64_t slot_size(std::uint32_t parameters, std::uint32_t records) noexcept {
  const std::uint64_t payload = std::uint64_t{4} * parameters + 8 + records;
  return (payload + 2 * Store::kPage - 1) / Store::kPage * Store::kPage;  // the header has a page to itself
}

/// Saves a snapshot, durable when ok. Reads the last checkpoint through once, to be sure which slot to leave alone.
/// Whatever goes wrong, power included, the store holds the last checkpoint or this one, entire.
///
/// invalid_size: more than 2^32 - 1 parameters or bytes of records. store_too_small: less than slot_size().
/// Otherwise what the store answered. All but the last leave the store untouched.
[[nodiscard]] Status save(Store& store, const Snapshot& snapshot) noexcept;

/// Loads the newest checkpoint that is entire: its parameters, and its records into the beginning of `records` if they
/// fit there; Loaded::records tells. What it gives is durable.
/// Reads it twice: nothing is written into the caller's memory before its checksums were found right.
///
/// no_checkpoint: both slots are blank, this is a first start. checkpoint_damaged: neither slot has an entire
/// checkpoint of this version, and they are not both blank. checkpoint_foreign: the newest is of another
/// fingerprint. checkpoint_length: the newest has not parameters.size() parameters.
/// store_too_small: a slot has not one page. Otherwise what the store answered, or
/// checkpoint_changed: the second reading was not as the first; only after these two may `parameters` and `records`
/// have been written to, and then mean nothing.
[[nodiscard]] Result<Loaded> load(Store& store, std::uint64_t fingerprint, Params parameters,
                                  std::span<std::byte> records) noexcept;
/// The same of what was saved as integers; `loaded` is what was found, if it is ok.
[[nodiscard]] Status load(Store& store, std::uint64_t fingerprint, std::span<std::byte> integers,
                          std::span<std::byte> records, Loaded& loaded) noexcept;
/// The same as a value.
[[nodiscard]] inline Result<Loaded> load(Store& store, std::uint64_t fingerprint,
                                         std::span<std::byte> integers,
                                         std::span<std::byte> records) noexcept {
  Loaded loaded;
  if (const Status status = load(store, fingerprint, integers, records, loaded); status != Status::ok)
    return status;
  return loaded;
}

}  // namespace popsgd::checkpoint
