// What compilers call for memory and division, where flash is scarcer than time: the C library's and the compiler's own are written
// out for speed, and take ten times the flash. By the names that Arm's run-time ABI (IHI 0043) and C give them.
#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t count) noexcept {
  auto* const out = static_cast<unsigned char*>(to);
  const auto* const in = static_cast<const unsigned char*>(from);
  while (count-- > 0) out[count] = in[count];
  return to;
}

void* memmove(void* to, const void* from, std::size_t count) noexcept {
  auto* const out = static_cast<unsigned char*>(to);
  const auto* const in = static_cast<const unsigned char*>(from);
  if (out > in) return memcpy(to, from, count);  // from the end downwards, as it has to be
  for (std::size_t k = 0; k < count; ++k) out[k] = in[k];
  return to;
}

void* memset(void* to, int byte, std::size_t count) noexcept {
  auto* const out = static_cast<unsigned char*>(to);
  while (count-- > 0) out[count] = static_cast<unsigned char>(byte);
  return to;
}

int memcmp(const void* one, const void* other, std::size_t count) noexcept {
  const auto* const a = static_cast<const unsigned char*>(one);
  const auto* const b = static_cast<const unsigned char*>(other);
  for (std::size_t k = 0; k < count; ++k) {
    if (a[k] != b[k]) return a[k] - b[k];
  }
  return 0;
}

std::size_t strlen(const char* text) noexcept {
  std::size_t length = 0;
  while (text[length] != 0) ++length;
  return length;
}

/// The quotient, and above it the remainder: a bit of the dividend after the other, all of which leave at the top as those of the
/// quotient come in below. What is divided by 0 gives all ones.
std::uint64_t __aeabi_uidivmod(std::uint32_t dividend, std::uint32_t divisor) noexcept {
  std::uint32_t rest = 0;
  for (int bit = 0; bit < 32; ++bit) {
    const bool carry = rest >> 31 != 0;
    rest = rest << 1 | dividend >> 31;
    dividend <<= 1;
    if (carry || rest >= divisor) {
      rest -= divisor;
      ++dividend;
    }
  }
  return std::uint64_t{rest} << 32 | dividend;
}
std::uint32_t __aeabi_uidiv(std::uint32_t dividend, std::uint32_t divisor) noexcept {
  return static_cast<std::uint32_t>(__aeabi_uidivmod(dividend, divisor));
}

}  // extern "C"
