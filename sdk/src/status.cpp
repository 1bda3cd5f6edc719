#include <popsgd/status.h>

namespace popsgd {

std::string_view text(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::invalid_size:
      return "a size is zero, does not fit the loss, or is too large to address";
    case Status::invalid_rate:
      return "a rate or a time is not finite or outside its range";
    case Status::shape_mismatch:
      return "a span's length is not the one the model asks for";
    case Status::scratch_too_small:
      return "scratch or workspace is smaller than stated, or a workspace not 8-aligned";
    case Status::no_function:
      return "a callback that is needed is null";
    case Status::label_out_of_range:
      return "a class label is not below the number of classes";
    case Status::busy:
      return "an exchange is under way; try again when it is over";
    case Status::settled:
      return "the step size is below the one at which steps end";
    case Status::unknown_peer:
      return "no peer of this name is known; add it first";
    case Status::no_room:
      return "all places are taken: remove a peer or configure more, or wait until a full link can be "
             "written to";
    case Status::link_closed:
      return "the path to the peer is lost or given up";
    case Status::no_entropy:
      return "there is no source of unpredictable bytes";
    case Status::store_failed:
      return "the store could not read, write, erase or sync";
    case Status::store_too_small:
      return "a slot of the store is too small for the checkpoint";
    case Status::no_checkpoint:
      return "nothing has been saved yet";
    case Status::checkpoint_damaged:
      return "no checkpoint in the store is entire";
    case Status::checkpoint_foreign:
      return "the checkpoint is of another model or swarm";
    case Status::checkpoint_length:
      return "the checkpoint's model has another length";
    case Status::checkpoint_changed:
      return "the checkpoint changed while it was read";
    case Status::misaligned_frame:
      return "a frame's first byte is not on an 8-byte boundary";
    case Status::malformed_frame:
      return "the bytes are no frame";
    case Status::unknown_kind:
      return "a frame of a kind this version does not know";
    case Status::unknown_format:
      return "a number format this version does not know";
    case Status::wrong_fields:
      return "a frame lacks a field its kind needs, or has one its kind does not know";
    case Status::invalid_field:
      return "a field of a frame is outside its range";
    case Status::buffer_too_small:
      return "the frame does not fit the memory given for it";
    case Status::null_pointer:
      return "a pointer that is needed is null";
    case Status::private_integers:
      return "a model of integers cannot be given the noise that privacy takes; use float32";
    case Status::budget_spent:
      return "another release would exceed the privacy budget, or what the last checkpoint has paid for";
    case Status::checkpoint_unaccounted:
      return "the checkpoint, made with another configuration, does not say what was spent of the privacy "
             "budget";
  }
  return "unknown status";
}

}  // namespace popsgd
