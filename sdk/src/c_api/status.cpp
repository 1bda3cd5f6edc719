#include <popsgd/c/status.h>
#include <popsgd/status.h>
#include <popsgd/version.h>

namespace popsgd {
namespace {

constexpr bool same(int number, Status status) {
  return number == static_cast<int>(status);
}

static_assert(same(POPSGD_OK, Status::ok));
static_assert(same(POPSGD_INVALID_SIZE, Status::invalid_size));
static_assert(same(POPSGD_INVALID_RATE, Status::invalid_rate));
static_assert(same(POPSGD_SHAPE_MISMATCH, Status::shape_mismatch));
static_assert(same(POPSGD_SCRATCH_TOO_SMALL, Status::scratch_too_small));
static_assert(same(POPSGD_NO_FUNCTION, Status::no_function));
static_assert(same(POPSGD_LABEL_OUT_OF_RANGE, Status::label_out_of_range));
static_assert(same(POPSGD_BUSY, Status::busy));
static_assert(same(POPSGD_SETTLED, Status::settled));
static_assert(same(POPSGD_UNKNOWN_PEER, Status::unknown_peer));
static_assert(same(POPSGD_NO_ROOM, Status::no_room));
static_assert(same(POPSGD_LINK_CLOSED, Status::link_closed));
static_assert(same(POPSGD_NO_ENTROPY, Status::no_entropy));
static_assert(same(POPSGD_STORE_FAILED, Status::store_failed));
static_assert(same(POPSGD_STORE_TOO_SMALL, Status::store_too_small));
static_assert(same(POPSGD_NO_CHECKPOINT, Status::no_checkpoint));
static_assert(same(POPSGD_CHECKPOINT_DAMAGED, Status::checkpoint_damaged));
static_assert(same(POPSGD_CHECKPOINT_FOREIGN, Status::checkpoint_foreign));
static_assert(same(POPSGD_CHECKPOINT_LENGTH, Status::checkpoint_length));
static_assert(same(POPSGD_CHECKPOINT_CHANGED, Status::checkpoint_changed));
static_assert(same(POPSGD_MISALIGNED_FRAME, Status::misaligned_frame));
static_assert(same(POPSGD_MALFORMED_FRAME, Status::malformed_frame));
static_assert(same(POPSGD_UNKNOWN_KIND, Status::unknown_kind));
static_assert(same(POPSGD_UNKNOWN_FORMAT, Status::unknown_format));
static_assert(same(POPSGD_WRONG_FIELDS, Status::wrong_fields));
static_assert(same(POPSGD_INVALID_FIELD, Status::invalid_field));
static_assert(same(POPSGD_BUFFER_TOO_SMALL, Status::buffer_too_small));
static_assert(same(POPSGD_NULL_POINTER, Status::null_pointer));
static_assert(sizeof(popsgd_status) == sizeof(Status));

}  // namespace
}  // namespace popsgd

const char* popsgd_text(popsgd_status status) {
  return popsgd::text(static_cast<popsgd::Status>(status))
      .data();  // of string literals, which end with a zero
}

const char* popsgd_version() {
  return POPSGD_VERSION;
}
