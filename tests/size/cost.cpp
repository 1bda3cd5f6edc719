// What a local step, a merge and an encoding cost, in instructions: SysTick counts them when QEMU runs with -icount shift=6,
// an instruction every 64 ns. Prints "what count", one a line.
#include "boards/board.h"
#include "device/registers.h"
#include "device/semihosting.h"
#include "digits.h"
#include "start/start.h"

#include <popsgd/fixed_network.h>
#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/gap.h>
#include <popsgd/network.h>
#include <popsgd/sgd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using namespace popsgd;
using namespace popsgd::cortex_m;

constexpr std::size_t kParameters = 650;
constexpr std::array<std::uint32_t, 2> kWidths{64, 10};
firmware::Digits digits(1);

void print(const char* what, std::uint32_t instructions) {
  semihosting::write(what);
  semihosting::write(" ");
  semihosting::write(static_cast<unsigned long>(instructions));
  semihosting::write("\n");
}

// SysTick counts down. Reading it costs a few instructions, which are counted, too.
template <typename Work>
void count(const char* what, Work work) {
  constexpr std::uint64_t kNanoseconds = 64;  // an instruction
  work();                                     // what is set up once is
  at(systick::kReload) = systick::kMost;
  at(systick::kValue) = 0;
  at(systick::kControl) = systick::kEnable | systick::kCoreClock;
  const std::uint32_t begin = at(systick::kValue);
  work();
  const std::uint32_t ticks = (begin - at(systick::kValue)) & systick::kMost;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  print(what, static_cast<std::uint32_t>(ticks * kSecond / board::kClock / kNanoseconds));
}

[[gnu::noinline]] void thousand() {
  asm volatile(".rept 1000\n\tnop\n\t.endr");
}

void fixed_point() {
  static std::array<std::int16_t, kParameters> x{};
  static std::array<std::int32_t, 20> scratch{};
  constexpr std::array<LayerFormat, 1> kFormats{{{.weights = 12, .biases = 12}}};
  const auto network =
      FixedNetwork<std::int16_t, std::int16_t>::make(kWidths, Loss::cross_entropy, kFormats).value();
  Random noise(1, Purpose::rounding);
  std::uint64_t saturated = 0;
  const FixedBatch& batch = digits.next();
  count("q15_step", [&] {
    static_cast<void>(network.step(x, batch, {.mantissa = 3U << 29, .shift = 35}, noise, scratch, saturated));
  });
}

void float32() {
  static std::array<float, kParameters> x{};
  static std::array<float, 64> features{};
  static std::array<float, 1024> scratch{};
  const FixedBatch& from = digits.next();
  for (std::size_t k = 0; k < features.size(); ++k) features[k] = static_cast<float>(from.features[k]) / 256;
  const Network network = Network::make(kWidths, Loss::cross_entropy).value();
  const Gradient gradient = network.gradient(1);
  const Sgd sgd;
  const Batch batch{.rows = 1, .features = features, .labels = from.labels, .targets = {}};
  count("float_step",
        [&] { static_cast<void>(sgd.step(gradient, batch, 0.05F, x, {}, std::span(scratch))); });
}

void lattices() {
  static std::array<std::int32_t, kParameters> own{};
  static std::array<std::int32_t, kParameters> theirs{};
  static std::array<std::int16_t, kParameters> model{};
  static std::array<std::byte, kParameters / 2> packed{};
  Random random(1, Purpose::user);
  for (std::int32_t& value : own) value = static_cast<std::int32_t>(random.below(4096)) - 2048;
  const lattice::Lattice grid{-9, lattice::dither_of(7)};
  const lattice::Values values(lattice::ConstPoints(own), 12);
  count("encode", [&] { lattice::encode(values, grid, 4, packed); });
  count("decode", [&] {
    static_cast<void>(lattice::decode_gap(packed, values, grid, 4, lattice::Side::initiator, theirs));
  });
  count("merge", [&] {
    static_cast<void>(lattice::move(std::span(model), 12, {theirs, -9}, lattice::Side::initiator,
                                    {12, lattice::coins_of(7)}));
  });
}

}  // namespace

int main() {
  count("thousand", thousand);
  fixed_point();
  if constexpr (held(Numeric::float32)) float32();
  lattices();
  return 0;
}
