#include "codec/frame.h"

#include <array>
#include <cstddef>

#include <doctest/doctest.h>

namespace {

using namespace popsgd::codec;

// Values are equal, and no longer when one field is changed.
template <typename T, typename Changes>
void check_equality(const T& value, const Changes& changes) {
  for (std::size_t k = 0; k <= changes.size(); ++k) {
    CAPTURE(k);
    T other = value;
    if (k < changes.size()) changes[k](other);
    const bool equal = value == other;
    CHECK(equal == (k == changes.size()));
  }
}

TEST_CASE("what frames carry differs when any one of its fields does") {
  check_equality(Handshake{}, std::array<void (*)(Handshake&), 9>{{
                                  [](Handshake& h) { ++h.nonce; },
                                  [](Handshake& h) { ++h.fingerprint; },
                                  [](Handshake& h) { ++h.counter; },
                                  [](Handshake& h) { ++h.parameters; },
                                  [](Handshake& h) { ++h.block_length; },
                                  [](Handshake& h) { ++h.version; },
                                  [](Handshake& h) { ++h.mtu; },
                                  [](Handshake& h) { ++h.window; },
                                  [](Handshake& h) { h.standing = Standing::fresh; },
                              }});
  check_equality(Acknowledgement{}, std::array<void (*)(Acknowledgement&), 3>{{
                                        [](Acknowledgement& a) { ++a.block; },
                                        [](Acknowledgement& a) { ++a.next; },
                                        [](Acknowledgement& a) { ++a.bitmap; },
                                    }});
  check_equality(Checksums{}, std::array<void (*)(Checksums&), 2>{{
                                  [](Checksums& c) { ++c.initiator; },
                                  [](Checksums& c) { ++c.responder; },
                              }});
}

}  // namespace
