#include "interfaces.h"

#include <algorithm>
#include <cstring>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace popsgd::net {

std::vector<Interface> interfaces() {
  std::vector<Interface> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const std::uint32_t index = if_nametoindex(entry->ifa_name);
    if (index == 0) continue;  // an alias, or gone meanwhile
    auto place =
        std::find_if(found.begin(), found.end(), [index](const auto& known) { return known.index == index; });
    if (place == found.end()) place = found.insert(place, {.name = entry->ifa_name, .index = index});
    place->up = (entry->ifa_flags & IFF_UP) != 0;
    place->multicast = (entry->ifa_flags & IFF_MULTICAST) != 0;
    place->loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
    const int family = entry->ifa_addr != nullptr ? entry->ifa_addr->sa_family : AF_UNSPEC;
    if (family == AF_INET && !place->v4) {
      sockaddr_in address{};
      std::memcpy(&address, entry->ifa_addr, sizeof address);
      std::memcpy(place->v4.emplace().data(), &address.sin_addr, 4);
    }
    place->v6 = place->v6 || family == AF_INET6;
  }
  freeifaddrs(list);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  return found;
}

}  // namespace popsgd::net
