// Who is told of new links, whichever transport opens them.
#pragma once

#include <popsgd/address.h>
#include <popsgd/link.h>

#include <string_view>

namespace popsgd::net {

/// Is told of every link that a transport opens. Called from within the loop only, never from within dial() or listen().
class Listener {
 public:
  /// A link to `remote` is open; `dialled`: because dial() asked for it, otherwise the peer did. The answer hears what it
  /// brings, and must stay until LinkUser::closed() or the end of the transport. `link` is valid as long; it may be
  /// used, and given up, at once.
  virtual LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept = 0;

  /// What dial() asked for did not come to be. `reason` is a sentence for a person, valid during the call.
  virtual void dial_failed(const Address& remote, std::string_view reason) noexcept = 0;

 protected:
  Listener() = default;
  Listener(const Listener&) = default;
  Listener(Listener&&) = default;
  Listener& operator=(const Listener&) = default;
  Listener& operator=(Listener&&) = default;
  ~Listener() = default;
};

}  // namespace popsgd::net
