#include <popsgd/sim/error.h>
#include <popsgd/sim/network.h>

#include <algorithm>
#include <array>

namespace popsgd::sim {
namespace {

constexpr std::array<std::string_view, kLies> kWords{
    "nan", "huge", "random", "sign-flip", "frozen", "drift", "replay", "slow-loris", "busy", "malformed"};

}  // namespace

std::string_view text(Lie kind) noexcept {
  return kWords[static_cast<std::size_t>(kind)];
}

ByzantineSettings parse_byzantine(std::string_view text) {
  if (text.empty()) return {};
  const std::string all = "--byzantine " + std::string(text);
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const auto found = std::find(kWords.begin(), kWords.end(), kind);
  if (found == kWords.end()) {
    std::string list;
    for (const std::string_view word : kWords) list += (list.empty() ? "" : ", ") + std::string(word);
    throw Error(all + ": '" + std::string(kind) + "' is not known" + suggest(kind, kWords) +
                "; choose from " + list + ", as in sign-flip:0.1");
  }
  if (colon == std::string_view::npos)
    throw Error(all + " wants KIND:FRACTION, e.g. " + std::string(kind) + ":0.1");
  const double fraction = parse_real(text.substr(colon + 1), "the fraction of --byzantine");
  if (!(fraction >= 0) || !(fraction < 0.5))
    throw Error(all + ": the fraction of the agents is at least 0 and below 0.5");
  return {.kind = static_cast<Lie>(found - kWords.begin()), .fraction = fraction};
}

}  // namespace popsgd::sim
