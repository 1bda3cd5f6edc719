// Loaded before the C library by a test (LD_PRELOAD): a disk and clocks that fail while the process runs. What is wrong at the
// moment stands in the file POPSGD_FAULTS, as three little-endian numbers of 32 bits, see faults.sh.
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

struct Faults {
  std::int32_t disk;       // a bit a call: 1 pwrite, 2 fsync and fdatasync, 4 renameat
  std::int32_t realtime;   // seconds by which the clock of the day is wrong
  std::int32_t monotonic;  // seconds that the machine has slept, for all that is known
};

const volatile Faults& faults() {
  static const auto* const mapped = [] {
    static const Faults none{};
    const char* const path = std::getenv("POPSGD_FAULTS");
    const int file = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    void* const memory = file < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof none, PROT_READ, MAP_SHARED, file, 0);
    return memory == MAP_FAILED ? &none : static_cast<const Faults*>(memory);
  }();
  return *mapped;
}

bool broken(std::int32_t call) {
  if ((faults().disk & call) == 0) return false;
  errno = EIO;
  return true;
}

// The C library's function of this name.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t pwrite(int file, const void* bytes, size_t count, off_t offset) {
  static auto* const real = next<decltype(pwrite)>("pwrite");
  return broken(1) ? -1 : real(file, bytes, count, offset);
}

int fsync(int file) {
  static auto* const real = next<decltype(fsync)>("fsync");
  return broken(2) ? -1 : real(file);
}

int fdatasync(int file) {
  static auto* const real = next<decltype(fdatasync)>("fdatasync");
  return broken(2) ? -1 : real(file);
}

int renameat(int from, const char* old_name, int to, const char* new_name) noexcept {
  static auto* const real = next<decltype(renameat)>("renameat");
  return broken(4) ? -1 : real(from, old_name, to, new_name);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static auto* const real = next<decltype(clock_gettime)>("clock_gettime");
  const int result = real(clock, now);
  if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += faults().realtime;
  if (result == 0 && clock == CLOCK_MONOTONIC) now->tv_sec += faults().monotonic;
  return result;
}

// Until a time of that clock, as the process knows it: the system's own has not leapt.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  static auto* const real = next<decltype(pthread_cond_clockwait)>("pthread_cond_clockwait");
  timespec then = *until;
  if (clock == CLOCK_MONOTONIC) then.tv_sec -= faults().monotonic;
  return real(condition, mutex, clock, &then);
}

}  // extern "C"
