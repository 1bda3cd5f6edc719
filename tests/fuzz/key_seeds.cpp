// Writes enrolment texts and key files, as they are written and as people write them: where the fuzzer begins.
//   popsgd_key_seeds FOLDER
#include "key/key_text.h"
#include "seeds.h"

#include <cstddef>
#include <span>
#include <string>

int main(int argc, char** argv) {
  return popsgd::test::write_seeds(argc, argv, [](const popsgd::test::WriteSeed& write) {
    popsgd::command::SwarmKey key;
    for (std::size_t k = 0; k < key.bytes.value.size(); ++k)
      key.bytes.value[k] = static_cast<std::uint8_t>(7 * k + 1);
    popsgd::command::EnrolmentText text;
    popsgd::command::write_enrolment(key, text);
    const std::string good(text.value.begin(), text.value.end());
    std::string blanks = good;
    for (char& letter : blanks)
      if (letter == '-') letter = ' ';
    blanks[8] = '-';
    int count = 0;
    for (const std::string& seed :
         {good, good + "\n", "# The key of a popsgd swarm\n\n" + good + "\r\n#", "  " + blanks + "\t",
          good + "\n" + good, good.substr(0, good.size() - 1), good + "0", "POPSGD:2-" + good.substr(9)}) {
      if (!write("text" + std::to_string(count++), std::as_bytes(std::span(seed)))) return false;
    }
    return true;
  });
}
