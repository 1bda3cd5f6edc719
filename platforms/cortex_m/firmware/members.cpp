#include "door.h"
#include "membership.h"

#include <popsgd/secure/gate.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace firmware {
namespace {

using namespace popsgd;
using cortex_m::TcpListener;

constexpr std::size_t kLinks = cortex_m::TcpTransport::kLinks;
constexpr secure::Options kOptions{.cookies = false, .remembered = kLinks};  // cookies are for datagrams
constexpr secure::Limits kLimits{.links = kLinks, .strangers = 1, .handshakes = kLinks};

// All that mbedTLS has: on a Cortex-M it takes 7 kB, and 5.7 more for each link in its handshake.
alignas(8) std::array<std::byte, 32 * 1024> memory;

class Members final : public Door {
 public:
  explicit Members(const Services& services) noexcept
      : context_(services.entropy, services.clock, kOptions), gate_(context_, doorman_, kLimits) {}

  [[nodiscard]] Status use(const SwarmKey& key) noexcept { return firmware::use(key, context_); }
  void lead_to(TcpListener& within) noexcept override { within_ = &within; }
  Time turn() noexcept override {
    gate_.poll();
    return gate_.deadline();
  }

  // of the transport
  LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept override;
  void dial_failed(const Address& remote) noexcept override { within_->dial_failed(remote); }

 private:
  /// Hears of the gate.
  class Doorman final : public secure::Listener {
   public:
    explicit Doorman(Members& members) noexcept : members_(members) {}
    LinkUser& opened(Link& link, const Address& remote, bool dialled) noexcept override {
      return members_.within_->opened(link, remote, dialled);
    }
    void refused(const Address& remote, bool dialled, secure::Refusal) noexcept override {
      if (dialled) members_.within_->dial_failed(remote);
    }

   private:
    Members& members_;
  };
  /// Of links that are closed at once.
  class Nobody final : public LinkUser {
   public:
    void received(Link&, std::span<const std::byte>) noexcept override {}
    void writable(Link&) noexcept override {}
    void closed(Link&) noexcept override {}
  };

  secure::Context context_;
  Doorman doorman_{*this};
  Nobody nobody_{};
  secure::Gate gate_;
  TcpListener* within_ = nullptr;
};

LinkUser& Members::opened(Link& link, const Address& remote, bool dialled) noexcept {
  if (LinkUser* const user = gate_.admit(link, remote, dialled)) return *user;
  link.close();
  if (dialled) within_->dial_failed(remote);
  return nobody_;
}

alignas(Members) std::array<std::byte, sizeof(Members)> room;  // it never ends, as the device does not

}  // namespace

Result<Door*> door_for_members(const SwarmKey& key, const Services& services) noexcept {
  if (const Status status = secure::use_memory(memory); status != Status::ok) return status;
  Members* const members = std::construct_at(reinterpret_cast<Members*>(room.data()), services);
  const Status status = members->use(key);
  return status == Status::ok ? Result<Door*>(members) : status;
}

}  // namespace firmware
