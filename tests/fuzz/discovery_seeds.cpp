// Writes scripts of ordinary meetings, and of messages whose bytes are to be bent.
//   popsgd_discovery_seeds FOLDER
#include "discovery_script.h"
#include "seeds.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace {

using Script = popsgd::test::DiscoveryScript;
using popsgd::discovery::Announcement;

std::vector<std::byte> script(std::initializer_list<int> steps) {
  std::vector<std::byte> bytes;
  for (const int step : steps) bytes.push_back(static_cast<std::byte>(step));
  return bytes;
}

std::vector<std::byte> with(std::vector<std::byte> script, std::span<const std::byte> message) {
  script.push_back(static_cast<std::byte>((message.size() + 1) / 2));
  script.insert(script.end(), message.begin(), message.end());
  if (message.size() % 2 != 0) script.push_back({});
  return script;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace popsgd::discovery;
  return popsgd::test::write_seeds(argc, argv, [](const popsgd::test::WriteSeed& write) {
    const Announcement said{.swarm = swarm_tag("fuzz"), .id = 3, .tcp_port = 7, .udp_port = 8};
    const std::array<Endpoint, 2> two{
        {{popsgd::v4_address({10, 0, 0, 4}, 4)}, {popsgd::v4_address({10, 0, 0, 5}, 5)}}};
    PeersBytes list{};
    const std::size_t length = encode_peers(two, list);
    const auto opened = {int{Script::open}, 1, 20, 0, 0, int{Script::hello}, 1, 3, 0};
    const auto on_link = {int{Script::open}, 1, 20, 0, 0, int{Script::message}, 1};
    auto after_hello = script(opened);
    after_hello.push_back(std::byte{Script::message});
    after_hello.push_back(std::byte{1});
    return write("heard", with(script({Script::heard, 20}), encode_beacon(said))) &&
           write("hello", with(script(on_link), encode_hello(said))) &&
           write("peers", with(after_hello, std::span(list).first(length))) &&
           write("beacons", script({Script::beacon, 1, 1, 7, Script::beacon, 2, 2, 7, Script::beacon, 1, 3, 7,
                                    Script::wait, 20, Script::fail, 1, Script::wait, 200})) &&
           write("rumours", script({Script::open,
                                    1,
                                    20,
                                    0,
                                    0,
                                    Script::hello,
                                    1,
                                    3,
                                    0,
                                    Script::peers,
                                    1,
                                    4,
                                    30,
                                    31,
                                    205,
                                    220,
                                    Script::wait,
                                    10,
                                    Script::close,
                                    1,
                                    Script::wait,
                                    40})) &&
           write("doubles", script({Script::open,
                                    1,
                                    20,
                                    0,
                                    0,
                                    Script::open,
                                    2,
                                    20,
                                    0,
                                    1,
                                    Script::hello,
                                    1,
                                    3,
                                    0,
                                    Script::hello,
                                    2,
                                    3,
                                    0,
                                    Script::wait,
                                    1})) &&
           write("own", script({Script::add, 20, Script::open, 1, 20, 0, 0, Script::hello, 1, 8, 0,
                                Script::wait, 1})) &&
           write("full", script({Script::add,  1,   Script::add,  2,  Script::add,    3, Script::add, 4,
                                 Script::add,  5,   Script::add,  6,  Script::beacon, 7, 7,           7,
                                 Script::wait, 200, Script::wait, 200}));
  });
}
