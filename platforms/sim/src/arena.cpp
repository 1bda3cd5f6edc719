#include "arena.h"

#include <popsgd/sim/error.h>

#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace popsgd::sim {
namespace {

constexpr std::size_t kMegabyte = 1U << 20;

std::size_t physical_megabytes() {
  return static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) /
         (kMegabyte / static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
}

}  // namespace

Arena::Arena(std::size_t floats) : floats_(floats) {
  if (floats == 0) return;
  void* memory = MAP_FAILED;
  // The system promises more memory than there is and kills who believes it: ask only for what exists.
  if (floats / kMegabyte < physical_megabytes() / sizeof(float)) {
    memory =
        mmap(nullptr, floats * sizeof(float), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (memory == MAP_FAILED) {
    throw Error(
        "not enough memory for the swarm's models: " + std::to_string(floats / kMegabyte * sizeof(float)) +
        " MB; use fewer agents or a smaller model");
  }
  madvise(memory, floats * sizeof(float), MADV_HUGEPAGE);  // a wish: without it everything works, only slower
  data_ = static_cast<float*>(memory);
}

Arena::~Arena() {
  if (data_ != nullptr) munmap(data_, floats_ * sizeof(float));
}

Arena::Arena(Arena&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), floats_(std::exchange(other.floats_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(floats_, other.floats_);
  return *this;
}

}  // namespace popsgd::sim
