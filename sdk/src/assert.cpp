#include <popsgd/assert.h>

#ifndef NDEBUG
namespace popsgd {

[[gnu::weak]] void assertion_failed(const char*, const char*, int) noexcept {
  __builtin_trap();
}

}  // namespace popsgd
#endif
