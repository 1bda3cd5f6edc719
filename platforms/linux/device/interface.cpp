#include "device/interface.h"

#include <memory>

#include <ifaddrs.h>
#include <net/if.h>

namespace popsgd::device {

bool is_loopback_interface(const std::string& name) {
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) return false;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(found, ::freeifaddrs);
  for (const ifaddrs* one = all.get(); one != nullptr; one = one->ifa_next) {
    if (name == one->ifa_name) return (one->ifa_flags & IFF_LOOPBACK) != 0;
  }
  return false;
}

}  // namespace popsgd::device
