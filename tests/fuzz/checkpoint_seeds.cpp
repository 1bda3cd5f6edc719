// Writes stores that hold a checkpoint, or two: where the fuzzer begins.
//   popsgd_checkpoint_seeds FOLDER
#include "memory_store.h"
#include "seeds.h"

#include <popsgd/checkpoint.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  namespace checkpoint = popsgd::checkpoint;
  return popsgd::test::write_seeds(argc, argv, [](const popsgd::test::WriteSeed& write) {
    for (const std::size_t parameters : {1U, 70U}) {
      const std::vector<float> model(parameters, 0.5F);
      const std::vector<std::byte> records(parameters, std::byte{7});
      popsgd::test::MemoryStore store(checkpoint::slot_size(static_cast<std::uint32_t>(parameters), 70));
      for (std::uint64_t saves = 1; saves <= 3; ++saves) {
        if (checkpoint::save(store, {42, model, popsgd::StepCounter(saves), records}) != popsgd::Status::ok)
          return false;
        std::vector<std::byte> input{std::byte{1}};
        for (const unsigned slot : {0U, 1U})
          input.insert(input.end(), store.slot(slot).begin(), store.slot(slot).end());
        if (!write(std::to_string(parameters) + "_" + std::to_string(saves), input)) return false;
      }
    }
    return true;
  });
}
