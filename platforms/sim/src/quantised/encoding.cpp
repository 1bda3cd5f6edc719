#include <popsgd/lattice/encoding.h>
#include <popsgd/sim/encoding.h>
#include <popsgd/sim/error.h>

namespace popsgd::sim {

Encoding parse_encoding(std::string_view text) {
  if (text == "raw") return {.code = Encoding::Code::raw};
  Encoding encoding{.code = Encoding::Code::lattice};
  constexpr std::string_view kRotate = ":rotate";
  std::string_view bits = text;
  if (bits.ends_with(kRotate)) {
    encoding.rotate = true;
    bits.remove_suffix(kRotate.size());
  }
  if (bits == "auto") {
    encoding.automatic = true;
    return encoding;
  }
  const auto number = to_integer(bits);
  if (!number || *number < lattice::kFewestBits || *number > lattice::kMostBits) {
    throw Error("--quantize " + std::string(text) +
                " is not known; it is auto, raw, or bits from 2 to 16, with rotation 3:rotate");
  }
  encoding.bits = static_cast<int>(*number);
  return encoding;
}

std::string text(const Encoding& encoding) {
  switch (encoding.code) {
    case Encoding::Code::none:
      return "none";
    case Encoding::Code::raw:
      return "raw";
    case Encoding::Code::plain_int8:
      return "plain int8";
    case Encoding::Code::top_tenth:
      return "top 10%";
    case Encoding::Code::lattice:
      break;
  }
  return (encoding.automatic ? "auto" : std::to_string(encoding.bits)) + (encoding.rotate ? ":rotate" : "");
}

Quantisation quantisation_of(const Encoding& encoding) {
  using Code = Encoding::Code;
  if (encoding.code == Code::none || encoding.code == Code::raw) return {};
  if (encoding.code != Code::lattice || encoding.exponent)
    throw Error("--engine network sends raw models or points of a lattice, not " + text(encoding));
  return {.width = encoding.automatic ? Width::automatic : Width::fixed,
          .bits = static_cast<std::uint8_t>(encoding.bits),
          .rotate = encoding.rotate};
}

}  // namespace popsgd::sim
