#include "agent/membership.h"

#include <popsgd/asio/error.h>

#include <utility>

namespace popsgd::command {
namespace {

constexpr std::uint32_t kSilence = 60'000;  // ms between two lines of one reason

}  // namespace

Membership::Membership(net::Loop& loop, const secure::SwarmKeys& keys, net::Listener& members, Tell tell,
                       const secure::Options& options, const secure::Limits& limits, Name name)
    : members_(members),
      tell_(std::move(tell)),
      name_(std::move(name)),
      context_(entropy_, clock_, options),
      doorman_(*this),
      gate_(context_, doorman_, limits),
      timer_(loop, [this] { poll(); }) {
  use(keys, true);
  timer_.at(gate_.deadline());
}

void Membership::use(const secure::SwarmKeys& keys, bool same_key) {
  const Status status = context_.use(keys);
  if (!same_key) gate_.close_all();
  if (status != Status::ok) throw net::Error("no secure link can be made: " + std::string(text(status)));
}

void Membership::poll() {
  gate_.poll();
  timer_.at(gate_.deadline());
}

// --- from a transport

LinkUser& Membership::opened(Link& link, const Address& remote, bool dialled) noexcept {
  if (LinkUser* const user = gate_.admit(link, remote, dialled)) return *user;
  link.close();
  if (dialled) members_.dial_failed(remote, text(secure::Refusal::too_many_handshakes));
  return nobody_;
}

void Membership::dial_failed(const Address& remote, std::string_view reason) noexcept {
  members_.dial_failed(remote, reason);
}

// --- from the gate

LinkUser& Membership::Doorman::opened(Link& link, const Address& remote, bool dialled) noexcept {
  return membership_.members_.opened(link, remote, dialled);
}

void Membership::Doorman::refused(const Address& remote, bool dialled, secure::Refusal refusal) noexcept {
  membership_.note(remote, dialled, refusal);
  if (dialled) membership_.members_.dial_failed(remote, text(refusal));
}

void Membership::Doorman::scheduled() noexcept {
  membership_.timer_.at(membership_.gate_.deadline());
}

void Membership::note(const Address& remote, bool dialled, secure::Refusal refusal) {
  if (refusal == secure::Refusal::none) return;
  Silence& silence = silences_[static_cast<std::size_t>(refusal)];
  const Time now = clock_.now();
  if (silence.set && !silence.until.reached(now)) {
    ++silence.unsaid;
    return;
  }
  std::string line =
      (dialled ? "called " : "turned away ") + name_(remote) + ": " + std::string(text(refusal));
  if (silence.unsaid > 0)
    line += " (as " + std::to_string(silence.unsaid) + " others since the last line of this)";
  silence = {.until = now + kSilence, .set = true};
  tell_(line);
}

}  // namespace popsgd::command
