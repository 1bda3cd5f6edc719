// Writes scripts of exchanges that go well, and of some that do not: where the fuzzer begins.
//   popsgd_exchange_seeds FOLDER
#include "exchange_script.h"
#include "seeds.h"

#include <cstddef>
#include <initializer_list>
#include <vector>

namespace {

using popsgd::test::Act;

void append(std::vector<std::byte>& script, Act act, std::initializer_list<unsigned> arguments) {
  script.push_back(static_cast<std::byte>(act));
  for (const unsigned argument : arguments) script.push_back(static_cast<std::byte>(argument));
}

// Agent 0 offers; every frame arrives in its turn.
std::vector<std::byte> in_order(int frames) {
  std::vector<std::byte> script;
  append(script, Act::meet, {0});
  for (int k = 0; k < frames; ++k) append(script, Act::deliver, {0});
  return script;
}

}  // namespace

int main(int argc, char** argv) {
  return popsgd::test::write_seeds(argc, argv, [](const popsgd::test::WriteSeed& write) {
    auto crossing = in_order(0);
    append(crossing, Act::meet, {1});
    for (unsigned k = 0; k < 60; ++k) append(crossing, Act::deliver, {k});
    auto lossy = in_order(5);
    for (unsigned k = 0; k < 40; ++k) {
      append(lossy, k % 3 == 0 ? Act::lose : Act::repeat, {k});
      append(lossy, Act::wait, {20, 0});
    }
    auto doubtful = in_order(12);
    for (unsigned k = 0; k < 20; ++k) append(doubtful, Act::lose, {0});
    append(doubtful, Act::wait, {0, 16});
    append(doubtful, Act::forge, {0, 8, 0, 0, 0});
    append(doubtful, Act::forge, {1, 9, 1, 0, 2});
    return write("in_order", in_order(80)) && write("crossing", crossing) && write("lossy", lossy) &&
           write("doubtful", doubtful);
  });
}
