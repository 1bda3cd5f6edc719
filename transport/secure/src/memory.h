// Objects in the memory of mbedTLS' allocator.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <mbedtls/platform.h>

namespace popsgd::secure {

/// Null: there is none left.
template <typename T, typename... Arguments>
T* make(Arguments&&... arguments) noexcept {
  void* const memory = mbedtls_calloc(1, sizeof(T));
  return memory == nullptr
             ? nullptr
             : std::construct_at(static_cast<T*>(memory), std::forward<Arguments>(arguments)...);
}

template <typename T>
T* make_several(std::size_t count) noexcept {
  auto* const first = static_cast<T*>(mbedtls_calloc(count, sizeof(T)));
  if (first != nullptr) std::uninitialized_value_construct_n(first, count);
  return first;
}

template <typename T>
void destroy(T* first, std::size_t count = 1) noexcept {
  if (first == nullptr) return;
  std::destroy_n(first, count);
  mbedtls_free(first);
}

}  // namespace popsgd::secure
