#include <popsgd/status.h>

namespace popsgd {

std::string_view text(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::invalid_size:
      return "a size is zero, does not fit the loss, or is too large to address";
    case Status::invalid_rate:
      return "a rate is not finite or outside its range";
    case Status::shape_mismatch:
      return "a span's length is not the one the model asks for";
    case Status::scratch_too_small:
      return "the scratch memory is smaller than the stated size";
    case Status::label_out_of_range:
      return "a class label is not below the number of classes";
  }
  return "unknown status";
}

}  // namespace popsgd
