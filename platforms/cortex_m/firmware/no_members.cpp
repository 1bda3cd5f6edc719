#include "door.h"

popsgd::Result<firmware::Door*> firmware::door_for_members(const SwarmKey&, const Services&) noexcept {
  return popsgd::Status::no_function;
}
