#include "quantised/exchange.h"

#include "quantised/comparisons.h"
#include "quantised/lattice_exchange.h"
#include "quantised/raw.h"

#include <popsgd/sim/error.h>

namespace popsgd::sim {

std::unique_ptr<Exchange> make_exchange(const Encoding& encoding, bool integers, std::size_t parameters) {
  using Code = Encoding::Code;
  switch (encoding.code) {
    case Code::none:
    case Code::raw:
      return std::make_unique<RawExchange>(parameters, encoding.code == Code::raw);
    case Code::lattice:
      return std::make_unique<LatticeExchange>(encoding, parameters);
    case Code::plain_int8:
    case Code::top_tenth:
      break;
  }
  if (integers) throw Error(text(encoding) + " is for float models");
  if (encoding.code == Code::plain_int8) return std::make_unique<PlainInt8Exchange>(parameters);
  return std::make_unique<TopTenthExchange>(parameters);
}

}  // namespace popsgd::sim
