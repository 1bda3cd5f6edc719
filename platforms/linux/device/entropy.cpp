#include "device/entropy.h"

#include <cerrno>

#include <sys/random.h>

namespace popsgd::device {

KernelEntropy::KernelEntropy(Source source) noexcept : source_(source != nullptr ? source : ::getrandom) {}

Status KernelEntropy::fill(std::span<std::byte> into) noexcept {
  while (!into.empty()) {
    const ssize_t count = source_(into.data(), into.size(), 0);
    if (count > 0) {  // a signal may cut a long request short
      into = into.subspan(static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return Status::no_entropy;
    }
  }
  return Status::ok;
}

}  // namespace popsgd::device
