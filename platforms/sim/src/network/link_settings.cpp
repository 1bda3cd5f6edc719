#include <popsgd/sim/data_source.h>
#include <popsgd/sim/error.h>
#include <popsgd/sim/network.h>

namespace popsgd::sim {

LinkSettings parse_links(std::string_view text) {
  LinkSettings link;
  if (text.empty()) return link;
  const DataSpec spec = DataSpec::parse("--link:" + std::string(text));
  if (spec.name != "--link") {
    throw Error("--link " + std::string(text) + " wants KEY=VALUE[,KEY=VALUE...], e.g. loss=0.1,delay=20");
  }
  const Options options(spec, {"loss", "duplicate", "corrupt", "truncate", "sever", "delay", "jitter",
                               "bandwidth", "mtu", "reliable"});
  constexpr double kMostRate = 0.9;
  constexpr double kMostDelay = 60'000;
  link.loss = options.real("loss", link.loss, 0, kMostRate);
  link.duplicate = options.real("duplicate", link.duplicate, 0, kMostRate);
  link.corrupt = options.real("corrupt", link.corrupt, 0, kMostRate);
  link.truncate = options.real("truncate", link.truncate, 0, kMostRate);
  link.sever = options.real("sever", link.sever, 0, kMostRate);
  link.delay_ms = options.real("delay", link.delay_ms, 0, kMostDelay);
  link.jitter_ms = options.real("jitter", link.jitter_ms, 0, kMostDelay);
  link.bandwidth = options.real("bandwidth", link.bandwidth, 0, 1e12);
  if (link.bandwidth > 0 && link.bandwidth < 100)
    throw options.wrong("bandwidth", "0 (infinite) or at least 100 bits a second");
  link.mtu = options.count("mtu", link.mtu, 256, 65'535);
  link.reliable = options.count("reliable", 0, 0, 1) == 1;
  if (link.reliable && link.loss + link.duplicate + link.corrupt + link.truncate > 0) {
    throw Error("--link " + std::string(text) +
                ": a reliable link has no loss, duplicate, corrupt or truncate");
  }
  return link;
}

}  // namespace popsgd::sim
