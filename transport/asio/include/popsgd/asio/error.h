// What this room says when it cannot do what it is asked for.
#pragma once

#include <stdexcept>

namespace popsgd::net {

/// what() is a sentence for a person: what was wrong, where, and what would be right.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace popsgd::net
