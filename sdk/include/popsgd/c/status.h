// Errors are values, and have the numbers of popsgd::Status.
#pragma once

// NOLINTBEGIN: C
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One of the POPSGD_... below. Like all choices of this ABI a byte: an enumeration's size would depend on the compiler's options.
typedef uint8_t popsgd_status;
enum {
  POPSGD_OK = 0,
  POPSGD_INVALID_SIZE =
      1,  ///< a dimension or count is zero or too large, or a choice none of those there are
  POPSGD_INVALID_RATE = 2,    ///< a rate, decay, momentum, weight or time is outside its range or not finite
  POPSGD_SHAPE_MISMATCH = 3,  ///< a length is not the one the model asks for
  POPSGD_SCRATCH_TOO_SMALL = 4,    ///< memory is smaller than the stated size, or not aligned
  POPSGD_NO_FUNCTION = 5,          ///< a callback that is needed is null
  POPSGD_LABEL_OUT_OF_RANGE = 6,   ///< a class label is not below the number of classes
  POPSGD_BUSY = 7,                 ///< an exchange or a step is under way; try again when it is over
  POPSGD_SETTLED = 8,              ///< the step size is below the schedule's `settle`
  POPSGD_UNKNOWN_PEER = 9,         ///< no peer of this name is known
  POPSGD_NO_ROOM = 10,             ///< all places are taken
  POPSGD_LINK_CLOSED = 11,         ///< the path to the peer is lost or given up
  POPSGD_NO_ENTROPY = 12,          ///< the platform has no unpredictable bytes to give
  POPSGD_STORE_FAILED = 13,        ///< the store could not read, write, erase or sync
  POPSGD_STORE_TOO_SMALL = 14,     ///< a slot of the store is too small for the checkpoint
  POPSGD_NO_CHECKPOINT = 15,       ///< nothing has been saved yet: a clean first start
  POPSGD_CHECKPOINT_DAMAGED = 16,  ///< something is in the store, but no checkpoint that is entire
  POPSGD_CHECKPOINT_FOREIGN = 17,  ///< the checkpoint is of another model or swarm
  POPSGD_CHECKPOINT_LENGTH = 18,   ///< the checkpoint's model has another length
  POPSGD_CHECKPOINT_CHANGED = 19,  ///< the checkpoint changed while it was read
  POPSGD_MISALIGNED_FRAME = 20,    ///< a frame's first byte is not on an 8-byte boundary
  POPSGD_MALFORMED_FRAME = 21,     ///< the bytes are no frame
  POPSGD_UNKNOWN_KIND = 22,        ///< a frame of a kind this version does not know
  POPSGD_UNKNOWN_FORMAT = 23,      ///< a number format this version does not know
  POPSGD_WRONG_FIELDS = 24,      ///< a frame lacks a field its kind needs, or has one its kind does not know
  POPSGD_INVALID_FIELD = 25,     ///< a field of a frame is outside its range
  POPSGD_BUFFER_TOO_SMALL = 26,  ///< the frame does not fit the memory given for it
  POPSGD_NULL_POINTER = 27       ///< a pointer that is needed is null
};

/// One line for a person, of any number; a constant, never null.
const char* popsgd_text(popsgd_status status);

/// The version of the library, to be compared with the header's POPSGD_VERSION (popsgd/version.h).
const char* popsgd_version(void);

#ifdef __cplusplus
}
#endif
// NOLINTEND
