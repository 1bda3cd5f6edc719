// A script of what somebody on the path between two members does, as bytes: what the members are, then a verb a message.
#pragma once

#include "script.h"
#include "secure_pair.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace popsgd::test {

/// The first byte, in bits: 0 a stream, else datagrams; 1 without forward secrecy, which is the faster; 2 no cookies; 3 both dial; 4 and 5:
/// the caller's, and the called's, messages never arrive, so that the script alone speaks for it.
///
/// Verbs, modulo their number, with their arguments. Behind the script's end messages pass as they are.
///   pass
///   drop
///   flip       position / 2, bits
///   cut        length / 2
///   twice
///   replace    length / 4, bytes   by bytes of the script
///   append     length / 4, bytes
class SecureScript {
 public:
  enum Verb : std::uint8_t { pass, drop, flip, cut, twice, replace, append, verbs };
  enum Start : std::uint8_t {
    stream = 1,
    small = 2,
    no_cookies = 4,
    both = 8,
    mute_caller = 16,
    mute_called = 32
  };

  explicit SecureScript(std::span<const std::byte> script)
      : script_(script),
        start_(script_.next()),
        both_dial((start_ & both) != 0 && (start_ & stream) == 0),
        silenced((start_ & (mute_caller | mute_called)) != 0),
        meeting((start_ & stream) != 0, {.cookies = (start_ & no_cookies) == 0}) {
    secure::SwarmKeys keys = swarm_keys();
    keys.forward_secret = (start_ & small) == 0;
    meeting.use(keys, keys);
    meeting.between = [this](Bytes& bytes, bool from_caller) { return act(bytes, from_caller); };
  }

 private:
  bool act(Bytes& message, bool from_caller) {
    const bool mute = (start_ & (from_caller ? mute_caller : mute_called)) != 0;
    const auto verb = script_.ended() ? pass : static_cast<Verb>(script_.next() % verbs);
    switch (verb) {
      case drop:
        return false;
      case flip: {
        const std::size_t at = 2U * script_.next();
        if (at < message.size()) message[at] ^= static_cast<std::byte>(script_.next());
        break;
      }
      case cut:
        message.resize(std::min<std::size_t>(message.size(), 2U * script_.next()));
        break;
      case twice:
        if (!mute) bring(message, from_caller);
        break;
      case replace: {
        const auto other = script_.bytes(4);
        message.assign(other.begin(), other.end());
        return !message.empty();
      }
      case append: {
        const auto more = script_.bytes(4);
        message.insert(message.end(), more.begin(), more.end());
        break;
      }
      default:
        break;
    }
    return !mute && !message.empty();
  }

  void bring(const Bytes& message, bool from_caller) {
    HandLink& to = from_caller ? *meeting.back : *meeting.there;
    if (message.size() <= to.traits().mtu) to.bring(message);
  }

  Script script_;
  std::uint8_t start_;

 public:
  const bool both_dial;
  const bool silenced;
  Meeting meeting;
};

}  // namespace popsgd::test
