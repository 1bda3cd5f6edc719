// What a caller in C hands over, as C++ has it.
#pragma once

#include <popsgd/c/status.h>
#include <popsgd/status.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::c_api {

[[nodiscard]] constexpr popsgd_status code(Status status) {
  return static_cast<popsgd_status>(status);
}

template <typename T>
[[nodiscard]] bool aligned(T* pointer, std::size_t alignment = alignof(T)) {
  return reinterpret_cast<std::uintptr_t>(pointer) % alignment == 0;
}

/// Whether `count` values may lie there: none may lie anywhere.
template <typename T>
[[nodiscard]] Status usable(T* values, std::size_t count) {
  if (count == 0) return Status::ok;
  if (values == nullptr) return Status::null_pointer;
  return aligned(values) ? Status::ok : Status::scratch_too_small;
}

/// An array, or nothing of a null pointer.
template <typename T>
[[nodiscard]] std::span<T> span_of(T* values, std::size_t count) {
  return values == nullptr ? std::span<T>{} : std::span<T>{values, count};
}

/// An array of a struct that C++ has by another name; both have the same members at the same places.
template <typename To, typename From>
[[nodiscard]] std::span<const To> as(const From* values, std::size_t count) {
  static_assert(sizeof(To) == sizeof(From));
  static_assert(alignof(To) == alignof(From));
  return span_of(reinterpret_cast<const To*>(values), count);
}

}  // namespace popsgd::c_api
