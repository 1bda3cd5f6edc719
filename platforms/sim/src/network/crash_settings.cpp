#include <popsgd/sim/data_source.h>
#include <popsgd/sim/error.h>
#include <popsgd/sim/network.h>

namespace popsgd::sim {

CrashSettings parse_crashes(std::string_view text) {
  CrashSettings crash;
  if (text.empty()) return crash;
  const DataSpec spec = DataSpec::parse("--crash:" + std::string(text));
  if (spec.name != "--crash") {
    throw Error("--crash " + std::string(text) + " wants KEY=VALUE[,KEY=VALUE...], e.g. rate=1e-4,save=60");
  }
  const Options options(spec, {"rate", "down", "save"});
  constexpr double kShortest = 0.01;
  constexpr double kDay = 86'400;
  crash.rate = options.real("rate", crash.rate, 0, 0.5);
  crash.down_s = options.real("down", crash.down_s, kShortest, kDay);
  crash.save_s = options.real("save", crash.save_s, 0, kDay);
  if (crash.save_s > 0 && crash.save_s < kShortest)
    throw options.wrong("save", "0 (no checkpoints) or at least 0.01 seconds");
  return crash;
}

}  // namespace popsgd::sim
