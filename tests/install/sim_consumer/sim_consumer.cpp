// Reaches what the simulator needs at link time: zlib through the data readers, and threads.
#include <popsgd/sim/data_source.h>
#include <popsgd/sim/workers.h>

#include <atomic>
#include <cstdio>

int main() {
  const popsgd::sim::Split data =
      popsgd::sim::load_data(popsgd::sim::DataSpec::parse("blobs:samples=100"), 1);
  popsgd::sim::Workers workers(2);
  std::atomic<std::size_t> seen{0};
  workers.for_each(data.train.rows, [&](std::size_t, std::size_t) { ++seen; });
  std::printf("%zu rows to learn from, %zu seen\n", data.train.rows, seen.load());
  return data.train.rows > 0 && seen == data.train.rows ? 0 : 1;
}
