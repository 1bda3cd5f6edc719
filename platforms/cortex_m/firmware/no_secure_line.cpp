#include "line.h"

popsgd::Result<firmware::Line*> firmware::line_for_members(const SwarmKey&, Node&) noexcept {
  return popsgd::Status::no_function;
}
