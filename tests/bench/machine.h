// What this machine can do: the limits that a workload's distance is measured from.
#pragma once

#include <cstddef>
#include <functional>

namespace bench {

/// Seconds of one call of `work`, which is repeated until it has taken a tenth of a second: the best of `rounds`.
double seconds(const std::function<void()>& work, int rounds = 5);

/// Multiplications and additions a second of one core: independent fused operations on full-width vectors.
double peak_flops();

/// Bytes read plus bytes written a second by the C library's memcpy between two arrays of `bytes` / 2 each.
double copy_bandwidth(std::size_t bytes);

}  // namespace bench
