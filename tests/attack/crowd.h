// Many who call one member, each from where the test says; and what they make it take of memory.
#pragma once

#include "stranger.h"

#include <cstddef>
#include <memory>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace popsgd::test {

/// Bytes that this process has taken and not given back; 0 where it cannot be told, as under a sanitizer.
inline std::size_t memory_in_use() {
#if defined(__GLIBC__)
  return mallinfo2().uordblks;
#else
  return 0;
#endif
}

inline Address source(std::uint32_t number, std::uint16_t port = 1000) {
  return v4_address({10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                     static_cast<std::uint8_t>(number)},
                    port);
}

class Crowd {
 public:
  Crowd(Guarded& member, bool reliable) : member_(member), reliable_(reliable) {}

  /// One more calls. False: turned away at once.
  bool call(const Address& from) {
    auto link = std::make_unique<HandLink>(
        LinkTraits{reliable_ ? std::uint16_t{65535} : std::uint16_t{1200}, reliable_});
    link->user = member_.gate.admit(*link, from, false);
    if (link->user == nullptr) return false;
    links.push_back(std::move(link));
    return true;
  }
  /// It calls, and says a hello; over datagrams one with its cookie.
  bool greet(const Address& from) {
    Stranger caller(true, reliable_, swarm_keys().current);
    caller.turn();
    Bytes hello = caller.said.at(0);
    if (!reliable_) {
      if (!call(from)) return false;
      links.back()->bring(hello);
      if (links.back()->sent.size() != 1) return false;
      caller.heard.push_back(links.back()->sent.at(0));
      settle();
      caller.turn();
      hello = caller.said.at(1);
    }
    if (!call(from)) return false;
    links.back()->bring(hello);
    const bool answered = !links.back()->over && !links.back()->sent.empty();
    settle();
    return answered;
  }
  /// Who has been turned away is gone.
  void settle() {
    std::erase_if(links, [](const auto& link) { return link->settle() || link->user == nullptr; });
  }
  void hang_up() {
    for (const auto& link : links) link->close();
    settle();
  }

  std::vector<std::unique_ptr<HandLink>> links{};

 private:
  Guarded& member_;
  bool reliable_;
};

}  // namespace popsgd::test
