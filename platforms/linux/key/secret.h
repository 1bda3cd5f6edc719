// What is not to stay in memory when nobody needs it any more.
#pragma once

#include <cstring>
#include <type_traits>

namespace popsgd::command {

/// A value, at first all zeros, that is overwritten at its end in a way that no compiler takes away. It is never copied.
template <typename T>
struct Secret {
  static_assert(std::is_trivially_copyable_v<T>);

  Secret() = default;
  ~Secret() { ::explicit_bzero(&value, sizeof value); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&&) = delete;
  Secret& operator=(Secret&&) = delete;

  T value{};
};

}  // namespace popsgd::command
