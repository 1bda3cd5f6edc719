#include <popsgd/discovery/refusal.h>

namespace popsgd::discovery {

std::string_view text(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::none:
      return "nothing is wrong";
    case Refusal::wrong_length:
      return "not as long as such a message is";
    case Refusal::wrong_magic:
      return "no message of discovery";
    case Refusal::unknown_version:
      return "of an unknown version";
    case Refusal::damaged:
      return "damaged on its way";
    case Refusal::invalid_field:
      return "a field is outside its range";
    case Refusal::no_id:
      return "without an id";
    case Refusal::other_swarm:
      return "of another swarm";
    case Refusal::own:
      return "this agent's own";
    case Refusal::keyed:
      return "of a swarm that has a key";
    case Refusal::unkeyed:
      return "without the code that a swarm with a key asks for";
    case Refusal::other_epoch:
      return "of another epoch of the key";
    case Refusal::forged:
      return "its code is not that of the swarm's key";
    case Refusal::too_many:
      return "one of too many in a second";
    case Refusal::no_port:
      return "no port that could be dialled";
    case Refusal::unspecified:
      return "the unspecified address";
    case Refusal::multicast:
      return "a multicast address";
    case Refusal::foreign_loopback:
      return "a loopback address of another machine";
    case Refusal::foreign_scope:
      return "a link-local address of another machine";
    case Refusal::unknown_link:
      return "no such link is open";
    case Refusal::no_hello:
      return "the other end has not said hello";
    case Refusal::no_room:
      return "all places are taken";
  }
  return "unknown";
}

}  // namespace popsgd::discovery
