#include "secure_link.h"

#include "bytes.h"
#include "gate_state.h"
#include "refusal_of.h"

#include <algorithm>
#include <utility>

namespace popsgd::secure {
namespace {

// What a record adds to a frame: header (RFC 6347, 4.1) and tag (RFC 7905); the nonce is not sent.
constexpr std::uint16_t kDatagramOverhead = 13 + 16;

}  // namespace

SecureLink::~SecureLink() {
  release();
}

Context::State& SecureLink::context() const noexcept {
  return *gate_->context;
}

// --- who is there

void SecureLink::begin(Gate::State& gate, Link& inner, const Address& remote, bool dialled) noexcept {
  gate_ = &gate;
  inner_ = &inner;
  user_ = nullptr;
  remote_ = remote;
  since_ = context().clock.now();
  dialled_ = dialled;
  client_ = false;
  datagrams_ = !inner.traits().reliable;
  refusal_ = Refusal::none;
  stage_ = Stage::waiting;
  gate.listener.scheduled();
  if (dialled && greet(true)) shake_hands();
}

// A peer that called has sent something. Whoever is turned away here without a word has not shown where it is: nobody is told.
bool SecureLink::let_in(std::span<const std::byte> bytes) noexcept {
  if (datagrams_ && context().options.cookies) {
    const Verdict verdict = context().ask(*inner_, remote_, bytes);
    if (verdict == Verdict::answered) ++gate_->counts.greeted;
    if (verdict != Verdict::known) {
      end(Refusal::none);
      return false;
    }
  }
  Refusal refusal = datagrams_ ? gate_->often(remote_) : Refusal::none;
  if (refusal == Refusal::none) refusal = gate_->room_to_answer(remote_);
  if (refusal != Refusal::none) end(refusal);
  return refusal == Refusal::none && greet(false);
}

// Both ends have dialled. Whose hello has the smaller random becomes the server, once it is clear that the other is where it
// says it is.
bool SecureLink::yields(std::span<const std::byte> hello) noexcept {
  if (context().options.cookies && context().ask(*inner_, remote_, hello) != Verdict::known) return false;
  if (!std::ranges::lexicographical_compare(random_, random_of(hello))) return false;
  release();
  return greet(false);
}

// Takes the memory of a session.
bool SecureLink::greet(bool as_client) noexcept {
  client_ = as_client;
  timer_ = full_ = too_long_ = no_room_ = false;
  records_ = 0;
  stage_ = Stage::greeting;
  begun_ = true;
  Remembered* const known = as_client ? context().find(remote_) : nullptr;
  const bool older = known != nullptr && known->older && context().has_previous;
  mbedtls_ssl_init(&ssl_);
  int error = mbedtls_ssl_setup(&ssl_, &context().config(as_client, datagrams_, older));
  mbedtls_ssl_set_bio(&ssl_, this, write, read, nullptr);
  if (error == 0 && context().certified) error = context().papers.expect_name(ssl_);
  if (datagrams_) {
    mbedtls_ssl_set_timer_cb(&ssl_, this, set_timer, get_timer);
    mbedtls_ssl_set_mtu(&ssl_, inner_->traits().mtu);
  }
  if (error == 0 && datagrams_ && !as_client) {
    const auto id = transport_id(remote_);
    error = mbedtls_ssl_set_client_transport_id(&ssl_, id.data(), id.size());
  }
  if (error == 0 && known != nullptr && known->has_session)
    error = mbedtls_ssl_set_session(&ssl_, &known->session);
  if (error != 0) end(refusal_of(error, ssl_));
  return error == 0;
}

void SecureLink::shake_hands() noexcept {
  const int result = mbedtls_ssl_handshake(&ssl_);
  if (result == 0) return opened();
  if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) return;
  const Refusal why = refusal_of(result, ssl_);
  if (client_ && why == Refusal::unknown_key && context().has_previous) {
    // The peer is an epoch behind, or this member was when it last called.
    if (Remembered* const place = context().place_for(remote_)) place->older = !place->older;
  }
  end(why);
}

void SecureLink::opened() noexcept {
  ++gate_->counts.opened;
  resume();
  since_ = context().clock.now();
  stage_ = Stage::open;
  user_ = &gate_->listener.opened(*this, remote_, dialled_);
}

// What a second meeting begins with.
void SecureLink::resume() noexcept {
  Remembered* const place = client_ ? context().place_for(remote_) : nullptr;
  if (place == nullptr) return;
  mbedtls_ssl_session session;
  mbedtls_ssl_session_init(&session);
  if (mbedtls_ssl_get_session(&ssl_, &session) != 0) return mbedtls_ssl_session_free(&session);
  if (place->has_session && same_session(place->session, session)) ++gate_->counts.resumed;
  if (place->has_session) mbedtls_ssl_session_free(&place->session);
  place->session = session;  // its pointers are the place's now
  place->has_session = true;
  place->at = context().clock.now();
}

// --- frames

LinkTraits SecureLink::traits() const noexcept {
  const LinkTraits within = inner_->traits();
  const std::size_t longest =
      within.reliable ? kLongestFrame : std::min<std::size_t>(within.mtu - kDatagramOverhead, kLongestFrame);
  return {static_cast<std::uint16_t>(longest), within.reliable};
}

// A record of a stream that the link within takes only a part of waits in mbedTLS' memory. A datagram that it does not take is lost,
// as if on the path: the frame is refused, and will be in another record.
Status SecureLink::send(std::span<const std::byte> frame) noexcept {
  if (stage_ != Stage::open) return Status::link_closed;
  if (frame.empty() || frame.size() > traits().mtu) return Status::invalid_size;
  if (unsent(ssl_) > 0) {
    full_ = true;
    return Status::no_room;
  }
  if (datagrams_) mbedtls_ssl_set_mtu(&ssl_, inner_->traits().mtu);
  too_long_ = no_room_ = false;
  const int result = mbedtls_ssl_write(&ssl_, chars(frame), frame.size());
  if (result < 0 && result != MBEDTLS_ERR_SSL_WANT_WRITE) {
    end(Refusal::none);
    return Status::link_closed;
  }
  if (++records_ == context().options.session_records) gate_->listener.scheduled();
  full_ = full_ || no_room_;
  return no_room_ ? Status::no_room : too_long_ ? Status::invalid_size : Status::ok;
}

void SecureLink::writable(Link&) noexcept {
  if (stage_ == Stage::greeting) shake_hands();
  if (stage_ != Stage::open) return;
  if (unsent(ssl_) > 0) {
    // With a record that is not sent yet, mbedTLS sends the rest of it, and takes nothing.
    const unsigned char nothing = 0;
    const int result = mbedtls_ssl_write(&ssl_, &nothing, sizeof(nothing));
    if (result == MBEDTLS_ERR_SSL_WANT_WRITE) return;
    if (result < 0) return end(Refusal::none);
  }
  if (std::exchange(full_, false)) user_->writable(*this);
}

void SecureLink::received(Link&, std::span<const std::byte> frame) noexcept {
  if (stage_ == Stage::waiting && !let_in(frame)) return;
  if (stage_ == Stage::greeting && client_ && datagrams_ && is_client_hello(frame) && !yields(frame)) return;
  // Along a wire whoever has begun anew says so, and knows nothing of this session (RFC 6347, 4.2.8).
  if (stage_ == Stage::open && datagrams_ && !context().options.cookies && is_client_hello(frame))
    return end(Refusal::none);
  // mbedTLS takes what is behind the last record, e.g. as somebody has put it there, for a reason to end the session.
  in_ = datagrams_ ? whole_records(frame) : frame;
  if (stage_ == Stage::greeting) shake_hands();
  if (stage_ == Stage::open) hand_over();
  in_ = {};
}

void SecureLink::hand_over() noexcept {
  const auto buffer = std::span(context().frame);
  while (stage_ == Stage::open) {
    const std::size_t left = in_.size();
    const int result = mbedtls_ssl_read(&ssl_, writable_chars(buffer), buffer.size());
    if (result > 0) {
      user_->received(*this, buffer.first(static_cast<std::size_t>(result)));
    } else if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) {
      if (in_.empty() || in_.size() == left) return;
    } else {
      return end(Refusal::none);  // a goodbye, or what no member sends
    }
  }
}

// --- the end

void SecureLink::close() noexcept {
  if (stage_ == Stage::open && unsent(ssl_) == 0) static_cast<void>(mbedtls_ssl_close_notify(&ssl_));
  end(Refusal::none);
}

void SecureLink::end(Refusal why) noexcept {
  if (stage_ == Stage::over || stage_ == Stage::free) return;
  refusal_ = why;
  stage_ = Stage::over;
  release();
  inner_->close();
}

void SecureLink::closed(Link&) noexcept {
  if (stage_ == Stage::greeting) refusal_ = Refusal::gone;
  stage_ = Stage::over;
  release();
  if (refusal_ != Refusal::none) gate_->count(refusal_);
  if (LinkUser* const user = std::exchange(user_, nullptr))
    user->closed(*this);
  else if (dialled_ || refusal_ != Refusal::none)
    gate_->listener.refused(remote_, dialled_, refusal_);
  stage_ = Stage::free;
}

void SecureLink::release() noexcept {
  if (std::exchange(begun_, false)) mbedtls_ssl_free(&ssl_);
  timer_ = false;
}

// --- time

void SecureLink::poll(Time now) noexcept {
  const bool limited = stage_ == Stage::greeting || (stage_ == Stage::waiting && !datagrams_);
  if (limited && (since_ + gate_->limits.handshake_time).reached(now)) return end(Refusal::too_slow);
  if (stage_ == Stage::greeting && timer_ && final_.reached(now)) {
    mbedtls_ssl_set_mtu(&ssl_, inner_->traits().mtu);
    shake_hands();
  } else if (stage_ == Stage::open && deadline().reached(now)) {
    ++gate_->counts.renewed;
    close();
  }
}

Time SecureLink::deadline() const noexcept {
  constexpr std::uint32_t never = 1U << 30;
  switch (stage_) {
    case Stage::waiting:
      return since_ + (datagrams_ ? never : gate_->limits.handshake_time);
    case Stage::greeting: {
      const Time end = since_ + gate_->limits.handshake_time;
      return timer_ ? earlier(final_, end) : end;
    }
    case Stage::open:
      return since_ + (records_ >= context().options.session_records ? 0 : context().options.session_age);
    case Stage::free:
    case Stage::over:
      break;
  }
  return context().clock.now() + never;
}

// --- what mbedTLS calls

int SecureLink::write(void* self, const unsigned char* bytes, std::size_t size) noexcept {
  auto& link = *static_cast<SecureLink*>(self);
  auto frame = std::as_bytes(std::span(bytes, size));
  if (!link.datagrams_) frame = frame.first(std::min<std::size_t>(size, link.inner_->traits().mtu));
  if (link.client_ && link.datagrams_ && link.stage_ == Stage::greeting && is_client_hello(frame))
    std::ranges::copy(random_of(frame), link.random_.begin());
  switch (link.inner_->send(frame)) {
    case Status::ok:
      return static_cast<int>(frame.size());
    case Status::no_room:
      if (!link.datagrams_ || link.stage_ == Stage::greeting) return MBEDTLS_ERR_SSL_WANT_WRITE;
      link.no_room_ = true;
      return static_cast<int>(frame.size());
    case Status::invalid_size:
      link.too_long_ = true;
      return static_cast<int>(frame.size());  // as if it were lost
    default:
      return MBEDTLS_ERR_NET_CONN_RESET;
  }
}

int SecureLink::read(void* self, unsigned char* into, std::size_t size) noexcept {
  auto& link = *static_cast<SecureLink*>(self);
  if (link.in_.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
  const auto taken = link.in_.first(std::min(size, link.in_.size()));
  std::ranges::copy(taken, reinterpret_cast<std::byte*>(into));
  link.in_ = link.datagrams_ ? std::span<const std::byte>{} : link.in_.subspan(taken.size());
  return static_cast<int>(taken.size());
}

void SecureLink::set_timer(void* self, std::uint32_t intermediate, std::uint32_t final) noexcept {
  auto& link = *static_cast<SecureLink*>(self);
  const Time now = link.context().clock.now();
  link.timer_ = final != 0;
  link.intermediate_ = now + intermediate;
  link.final_ = now + final;
  if (link.timer_) link.gate_->listener.scheduled();
}

int SecureLink::get_timer(void* self) noexcept {
  const auto& link = *static_cast<SecureLink*>(self);
  if (!link.timer_) return -1;
  const Time now = link.context().clock.now();
  if (link.final_.reached(now)) return 2;
  return link.intermediate_.reached(now) ? 1 : 0;
}

}  // namespace popsgd::secure
