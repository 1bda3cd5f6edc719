#include <popsgd/sim/data_source.h>
#include <popsgd/sim/error.h>
#include <popsgd/sim/network.h>

#include <array>
#include <limits>
#include <string>

namespace popsgd::sim {
namespace {

constexpr double kLeast = 0.01;  // seconds
constexpr double kMost = 1e6;

ContactSettings split_from(const DataSpec& spec) {
  const Options options(spec, {"parts", "every", "lasting"});
  SplitContacts split;
  split.parts = static_cast<std::uint32_t>(options.count("parts", split.parts, 2, 10'000'000));
  split.every_s = options.real("every", split.every_s, kLeast, kMost);
  split.lasting_s = options.real("lasting", split.lasting_s, kLeast, kMost);
  if (split.lasting_s < split.every_s) return split;
  throw Error("--contacts split: lasting must be below every, not " + options.text("lasting", "20") +
              " with every=" + options.text("every", "60"));
}

ContactSettings on_off_from(const DataSpec& spec) {
  const Options options(spec, {"up", "down"});
  OnOffContacts on_off;
  on_off.up_s = options.real("up", on_off.up_s, kLeast, kMost);
  on_off.down_s = options.real("down", on_off.down_s, kLeast, kMost);
  return on_off;
}

ContactSettings mobile_from(const DataSpec& spec) {
  const Options options(spec, {"degree", "speed"});
  MobileContacts mobile;
  mobile.degree = options.real("degree", mobile.degree, 0.001, 1e6);
  mobile.speed = options.real("speed", mobile.speed, 0, 1);
  return mobile;
}

}  // namespace

ContactSettings parse_contacts(std::string_view text) {
  constexpr std::string_view kFlag = "--contacts ";
  const DataSpec spec = DataSpec::parse(std::string(kFlag) + std::string(text));
  const std::string_view name = std::string_view(spec.name).substr(kFlag.size());
  if (name == "always" && spec.options.empty()) return AlwaysOpen{};
  if (name == "split") return split_from(spec);
  if (name == "on-off") return on_off_from(spec);
  if (name == "mobile") return mobile_from(spec);
  constexpr std::array<std::string_view, 4> kNames{"always", "split", "on-off", "mobile"};
  throw Error(std::string(kFlag) + "'" + std::string(text) +
              "' is not one of always, split:parts=2,every=60,lasting=20, on-off:up=30,down=30 and " +
              "mobile:degree=4,speed=0.01" + suggest(name.substr(0, name.find(':')), kNames));
}

}  // namespace popsgd::sim
