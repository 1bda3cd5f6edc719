#include "endpoint.h"
#include "tcp_link.h"

#include <popsgd/asio/address_text.h>
#include <popsgd/asio/error.h>
#include <popsgd/asio/tcp.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

namespace popsgd::net {

using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;

// Shared with every session that runs, which asks `over` after every wait: then there is nobody left to tell.
struct TcpTransport::State : std::enable_shared_from_this<State> {
  State(Loop& loop, const TcpOptions& with, Listener& whom)
      : context(loop.context()), options(with), listener(whom), sweep_timer(context) {}

  using Shared = std::shared_ptr<State>;
  static awaitable<void> accept(Shared self, std::shared_ptr<tcp::acceptor> acceptor);
  static awaitable<void> dial(Shared self, Address remote);
  static awaitable<void> serve(Shared self, std::shared_ptr<TcpLink> link);
  static awaitable<void> sweep(Shared self);

  tcp::acceptor open(const Address& at);
  bool room_for_caller();
  void begin(tcp::socket socket, const Address& remote, bool dialled);
  void end();

  asio::io_context& context;
  const TcpOptions options;
  Listener& listener;
  TcpMetrics metrics;
  std::vector<std::shared_ptr<tcp::acceptor>> acceptors;
  std::vector<std::shared_ptr<tcp::socket>> dialling;
  std::vector<std::shared_ptr<TcpLink>> links;
  asio::steady_timer sweep_timer;
  bool over = false;
};

TcpTransport::TcpTransport(Loop& loop, const TcpOptions& options, Listener& listener)
    : state_(std::make_shared<State>(loop, options, listener)) {
  asio::co_spawn(state_->context, State::sweep(state_), asio::detached);
}

TcpTransport::~TcpTransport() {
  state_->end();
}

Address TcpTransport::listen(const Address& at) {
  const auto acceptor = std::make_shared<tcp::acceptor>(state_->open(at));
  state_->acceptors.push_back(acceptor);
  const Address bound = to_address(acceptor->local_endpoint());
  asio::co_spawn(state_->context, State::accept(state_, acceptor), asio::detached);
  return bound;
}

void TcpTransport::dial(const Address& remote) {
  asio::co_spawn(state_->context, State::dial(state_, remote), asio::detached);
}

const TcpMetrics& TcpTransport::metrics() const {
  return state_->metrics;
}

// --- those who call

tcp::acceptor TcpTransport::State::open(const Address& at) {
  std::error_code error;
  tcp::acceptor acceptor(context);
  const auto endpoint = to_endpoint<tcp::endpoint>(at);
  acceptor.open(endpoint.protocol(), error);
  if (error == asio::error::address_family_not_supported && is_any(at)) return open(v4_address({}, at.port));
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && !at.is_v4()) acceptor.set_option(asio::ip::v6_only(!is_any(at)), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(options.pending, error);
  if (error) throw Error(cannot_listen(at, "TCP", error));
  return acceptor;
}

awaitable<void> TcpTransport::State::accept(Shared self, std::shared_ptr<tcp::acceptor> acceptor) {
  while (!self->over) {
    std::error_code error;
    tcp::socket socket = co_await acceptor->async_accept(redirect_error(use_awaitable, error));
    if (self->over) break;
    if (error) {  // no descriptors left, or the like, which may pass
      asio::steady_timer pause(self->context, std::chrono::milliseconds(100));
      co_await pause.async_wait(redirect_error(use_awaitable, error));
      continue;
    }
    const auto remote = socket.remote_endpoint(error);
    if (error) continue;  // already gone
    if (!self->room_for_caller()) continue;
    ++self->metrics.accepted;
    self->begin(std::move(socket), to_address(remote), false);
  }
}

// Where all places are taken, the caller that has been silent for longest gives up its own, if that was long enough.
bool TcpTransport::State::room_for_caller() {
  if (links.size() + dialling.size() < options.links) return true;
  const Time now = Loop::now();
  const auto silence = [now](const std::shared_ptr<TcpLink>& link) {
    return link->open() && !link->dialled() ? now.since(link->heard()) : -1;
  };
  const auto longest = std::ranges::max_element(links, {}, silence);
  if (longest == links.end() || silence(*longest) < static_cast<std::int32_t>(options.stall_timeout)) {
    ++metrics.turned_away;
    return false;
  }
  ++metrics.replaced;
  (*longest)->close();
  return true;
}

// --- those who are called

awaitable<void> TcpTransport::State::dial(Shared self, Address remote) {
  co_await asio::post(self->context, use_awaitable);
  if (self->over) co_return;
  if (self->links.size() + self->dialling.size() >= self->options.links) {
    self->listener.dial_failed(remote, "cannot reach " + to_text(remote) + ": all " +
                                           std::to_string(self->options.links) + " links are in use");
    co_return;
  }
  const auto socket = std::make_shared<tcp::socket>(self->context);
  self->dialling.push_back(socket);
  std::error_code error;
  bool late = false;
  {
    const auto expired = std::make_shared<bool>(false);
    asio::steady_timer timer(self->context, std::chrono::milliseconds(self->options.dial_timeout));
    timer.async_wait([socket, expired](const std::error_code& cancelled) {
      if (cancelled) return;
      *expired = true;
      std::error_code ignored;
      socket->close(ignored);
    });
    co_await socket->async_connect(to_endpoint<tcp::endpoint>(remote), redirect_error(use_awaitable, error));
    late = *expired;
  }
  std::erase(self->dialling, socket);
  if (self->over) co_return;
  if (late) error = asio::error::timed_out;
  if (error) {
    self->listener.dial_failed(remote, cannot_reach(remote, error));
  } else {
    ++self->metrics.dialled;
    self->begin(std::move(*socket), remote, true);
  }
}

// --- links

void TcpTransport::State::begin(tcp::socket socket, const Address& remote, bool dialled) {
  const auto link = std::make_shared<TcpLink>(std::move(socket), remote, dialled, options);
  links.push_back(link);
  asio::co_spawn(context, serve(shared_from_this(), link), asio::detached);
}

awaitable<void> TcpTransport::State::serve(Shared self, std::shared_ptr<TcpLink> link) {
  LinkUser& user = self->listener.opened(*link, link->remote(), link->dialled());
  const bool garbled = co_await link->serve(user);
  if (self->over) co_return;
  if (garbled) ++self->metrics.garbled;
  std::erase(self->links, link);
  user.closed(*link);
}

// Ends links that do not get on.
awaitable<void> TcpTransport::State::sweep(Shared self) {
  const std::chrono::milliseconds period(std::max(1U, self->options.stall_timeout / 8));
  while (!self->over) {
    self->sweep_timer.expires_after(period);
    std::error_code error;
    co_await self->sweep_timer.async_wait(redirect_error(use_awaitable, error));
    for (const auto& link : self->links) {
      if (!link->open() || !link->stalled(Loop::now(), self->options.stall_timeout)) continue;
      ++self->metrics.stalled;
      link->close();
    }
  }
}

void TcpTransport::State::end() {
  over = true;
  std::error_code ignored;
  sweep_timer.cancel();
  for (const auto& acceptor : acceptors) acceptor->close(ignored);
  for (const auto& socket : dialling) socket->close(ignored);
  for (const auto& link : links) link->close();
}

}  // namespace popsgd::net
