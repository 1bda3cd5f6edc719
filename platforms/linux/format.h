// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace popsgd::command {

[[nodiscard]] std::string thousands(std::uint64_t value);             ///< "100,000"
[[nodiscard]] std::string significant(double value, int digits = 4);  ///< "0.1234", "1.235e-05"
[[nodiscard]] std::string fixed(double value, int decimals);          ///< "3.10"
[[nodiscard]] std::string percent(double share, int decimals = 1);    ///< "87.4%"
[[nodiscard]] std::string bytes(double value);                        ///< "4.1 GB", powers of 1000
[[nodiscard]] std::string duration(double seconds);                   ///< "4.2 s", "3 min 20 s"

}  // namespace popsgd::command
