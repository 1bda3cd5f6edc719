// Errors are values: nothing in the SDK throws, and nothing aborts on what a peer or a file may contain.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace popsgd {

/// The C ABI has the same numbers (popsgd/c/status.h): append, never renumber.
enum class Status : std::uint8_t {
  ok,
  invalid_size,       ///< a width, dimension or count is zero or too large to address
  invalid_rate,       ///< a rate, time, decay, momentum or weight is negative, above its range or not finite
  shape_mismatch,     ///< a span's length is not the one the model asks for
  scratch_too_small,  ///< the caller's scratch or workspace is smaller than stated, or a workspace not 8-aligned
  no_function,        ///< a callback that is needed is null
  label_out_of_range,      ///< a class label is not below the number of classes
  busy,                    ///< an exchange is under way
  settled,                 ///< the step size is below Schedule::settle
  unknown_peer,            ///< no peer of this name is known
  no_room,                 ///< all places are taken
  link_closed,             ///< the path to the peer is lost or given up
  no_entropy,              ///< the platform has no unpredictable bytes to give
  store_failed,            ///< the store could not read, write, erase or sync
  store_too_small,         ///< a slot of the store is too small for the checkpoint
  no_checkpoint,           ///< nothing has been saved yet: a clean first start
  checkpoint_damaged,      ///< something is in the store, but no checkpoint that is entire
  checkpoint_foreign,      ///< the checkpoint is of another model or swarm
  checkpoint_length,       ///< the checkpoint's model has another length
  checkpoint_changed,      ///< the checkpoint changed while it was read
  misaligned_frame,        ///< a frame's first byte is not on an 8-byte boundary
  malformed_frame,         ///< the bytes are no frame
  unknown_kind,            ///< a frame of a kind this version does not know
  unknown_format,          ///< a number format this version does not know
  wrong_fields,            ///< a frame lacks a field its kind needs, or has one its kind does not know
  invalid_field,           ///< a field of a frame is outside its range
  buffer_too_small,        ///< the frame does not fit the memory given for it
  null_pointer,            ///< a pointer that is needed is null: of the C ABI
  private_integers,        ///< only a model of floats can be given the noise that privacy takes
  budget_spent,            ///< another release would exceed the privacy budget, or what is paid for of it
  checkpoint_unaccounted,  ///< the checkpoint does not say what was spent of the privacy budget
};

/// One line for a person, e.g. "the scratch memory is smaller than scratch_size() asks for".
[[nodiscard]] std::string_view text(Status status) noexcept;

/// A value, or the reason why there is none. T must be default-constructible and cheap to move.
template <typename T>
class [[nodiscard]] Result {
 public:
  constexpr Result(T value) noexcept : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  constexpr Result(Status status) noexcept : status_(status) {}     // NOLINT(google-explicit-constructor)

  [[nodiscard]] constexpr bool ok() const noexcept { return status_ == Status::ok; }
  [[nodiscard]] constexpr Status status() const noexcept { return status_; }

  /// The value; only meaningful when ok().
  [[nodiscard]] constexpr const T& value() const noexcept { return value_; }
  [[nodiscard]] constexpr const T* operator->() const noexcept { return &value_; }

 private:
  T value_{};
  Status status_ = Status::ok;
};

}  // namespace popsgd
