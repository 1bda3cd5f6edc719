#include <popsgd/c/discovery.h>
#include <popsgd/discovery/beacon.h>

uint64_t popsgd_swarm_tag(const char* text) {
  return text == nullptr ? 0 : popsgd::discovery::swarm_tag(text);
}
