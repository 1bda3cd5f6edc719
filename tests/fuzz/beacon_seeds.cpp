// Writes beacons of a swarm's epochs, of another swarm and without a key: where the fuzzer begins.
//   popsgd_beacon_seeds FOLDER
#include "agent/beacon_keys.h"
#include "secure_pair.h"
#include "seeds.h"

#include <popsgd/discovery/beacon.h>

#include <string>

int main(int argc, char** argv) {
  using namespace popsgd;
  using namespace popsgd::discovery;
  return test::write_seeds(argc, argv, [](const test::WriteSeed& write) {
    const Announcement said{.swarm = swarm_tag("fuzz"), .id = 3, .tcp_port = 7, .udp_port = 8};
    for (const std::uint8_t swarm : {std::uint8_t{1}, std::uint8_t{2}}) {
      for (const std::uint32_t epoch : {5U, 6U, 7U, 8U}) {
        command::BeaconKeys key(test::swarm_keys(swarm, epoch));
        if (!write("beacon" + std::to_string(swarm) + std::to_string(epoch), encode_beacon(said, key)))
          return false;
      }
    }
    return write("plain", encode_beacon(said));
  });
}
