// Writes scripts of meetings that go well, of messages that are bent, and of the messages of a handshake to be bent.
//   popsgd_secure_seeds FOLDER
#include "secure_script.h"
#include "seeds.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace {

using Script = popsgd::test::SecureScript;
using popsgd::test::Bytes;

Bytes script(std::initializer_list<int> steps) {
  Bytes bytes;
  for (const int step : steps) bytes.push_back(static_cast<std::byte>(step));
  return bytes;
}

/// What one of two members says in a handshake, as what a script says in its place.
Bytes recorded(std::uint8_t start, bool of_caller) {
  Script meeting(std::array{static_cast<std::byte>(start)});
  Bytes said = script({start | (of_caller ? Script::mute_caller : Script::mute_called)});
  meeting.meeting.between = [&](Bytes& bytes, bool from_caller) {
    if (from_caller != of_caller) return true;
    said.push_back(std::byte{Script::replace});
    said.push_back(static_cast<std::byte>((bytes.size() + 3) / 4));
    said.insert(said.end(), bytes.begin(), bytes.end());
    said.resize(said.size() + (4 - bytes.size() % 4) % 4);
    return true;
  };
  meeting.meeting.dial();
  meeting.meeting.run(100);
  return said;
}

}  // namespace

int main(int argc, char** argv) {
  return popsgd::test::write_seeds(argc, argv, [](const popsgd::test::WriteSeed& write) {
    for (int start = 0; start < 16; ++start) {
      const std::string name = std::to_string(start);
      const auto what = static_cast<std::uint8_t>(start);
      if (!write("well" + name, script({start})) ||
          !write("bent" + name,
                 script({start, Script::pass, Script::pass, Script::flip, 20, 1, Script::twice, Script::cut,
                         30, Script::drop, Script::pass, Script::append, 1, 22, 3, 3, 0})) ||
          !write("caller" + name, recorded(what, true)) || !write("called" + name, recorded(what, false)))
        return false;
    }
    return true;
  });
}
