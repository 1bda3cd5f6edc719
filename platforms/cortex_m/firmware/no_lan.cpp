#include "lan.h"

popsgd::Status firmware::lan::start(Node&, const Services&, const Swarm&) noexcept {
  return popsgd::Status::link_closed;
}

popsgd::Time firmware::lan::turn(popsgd::Time now) noexcept {
  return now + 1000;
}

bool firmware::lan::due() noexcept {
  return false;
}
