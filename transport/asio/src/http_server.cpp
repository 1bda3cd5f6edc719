#include "http_request.h"

#include <popsgd/asio/http_server.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <set>
#include <sstream>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

namespace popsgd::net {
namespace {

using asio::ip::tcp;

tcp::endpoint endpoint_of(const Address& address) {
  if (address.is_v4()) {
    asio::ip::address_v4::bytes_type bytes;
    std::copy(address.ip.begin() + 12, address.ip.end(), bytes.begin());
    return {asio::ip::address_v4(bytes), address.port};
  }
  asio::ip::address_v6::bytes_type bytes;
  std::copy(address.ip.begin(), address.ip.end(), bytes.begin());
  return {asio::ip::address_v6(bytes, address.scope), address.port};
}

Address address_of(const tcp::endpoint& endpoint) {
  if (endpoint.address().is_v4()) return v4_address(endpoint.address().to_v4().to_bytes(), endpoint.port());
  const asio::ip::address_v6 ip = endpoint.address().to_v6();
  const auto bytes = ip.to_bytes();
  Address address{{}, endpoint.port(), static_cast<std::uint32_t>(ip.scope_id())};
  std::copy(bytes.begin(), bytes.end(), address.ip.begin());
  return address;
}

[[noreturn]] void fail(const tcp::endpoint& endpoint, const std::error_code& error) {
  std::string what = error.message();
  if (error == asio::error::address_in_use) {
    what = "another program listens there; stop it, or take another port";
  } else if (error == asio::error::access_denied) {
    what = "ports below 1024 are the administrator's; take one from 1024 to 65535";
  } else if (error.value() == EADDRNOTAVAIL) {
    what = "this machine has no such address; 127.0.0.1 is the machine itself, 0.0.0.0 all of its addresses";
  } else if (error == asio::error::address_family_not_supported) {
    what = "this machine does not speak IPv6; take an IPv4 address, e.g. 127.0.0.1";
  }
  std::ostringstream sentence;
  sentence << "cannot serve web pages at " << endpoint << ": " << what;
  throw Error(sentence.str());
}

tcp::acceptor listen(asio::io_context& context, const tcp::endpoint& endpoint) {
  tcp::acceptor acceptor(context);
  std::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) fail(endpoint, error);
  return acceptor;
}

// --- responses

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "";
  }
}

// Pages are self-contained: scripts and styles of their own, questions to this server, and nothing from elsewhere.
constexpr std::string_view kFixedFields =
    "Connection: close\r\n"
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n\r\n";

std::string head_of(const HttpResponse& response) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += reason(response.status);
  head += "\r\nContent-Type: " + response.type;
  head += "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n";
  if (response.status == 405) head += "Allow: GET, HEAD\r\n";
  if (response.status == 503) head += "Retry-After: 1\r\n";
  return head += kFixedFields;
}

HttpResponse refusal(int status, std::string_view why) {
  return {status, HttpResponse{}.type, std::string(why) + "\n"};
}

HttpResponse refusal(int status) {
  return refusal(status, reason(status));
}

}  // namespace

// --- connections

// A socket that closes when its time is up, whatever is under way.
struct Connection {
  explicit Connection(tcp::socket accepted) : socket(std::move(accepted)), timer(socket.get_executor()) {}

  void close() {
    std::error_code ignored;
    socket.close(ignored);
  }

  // In place of the deadline set before.
  static void limit(const std::shared_ptr<Connection>& self, std::chrono::milliseconds time) {
    self->timer.expires_after(time);
    self->timer.async_wait([weak = std::weak_ptr(self)](const std::error_code& error) {
      const auto connection = weak.lock();
      if (error || !connection || connection->timer.expiry() > std::chrono::steady_clock::now()) return;
      connection->close();
    });
  }

  tcp::socket socket;
  asio::steady_timer timer;
};

struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
  State(asio::io_context& the_context, const Address& address, Handler the_handler,
        const HttpLimits& the_limits)
      : context(the_context),
        acceptor(listen(context, endpoint_of(address))),
        handler(std::move(the_handler)),
        limits(the_limits) {}

  asio::awaitable<void> accept();
  void welcome(tcp::socket socket);
  asio::awaitable<void> serve(std::shared_ptr<Connection> connection, bool busy);
  asio::awaitable<void> read(Connection& connection, std::string& request) const;
  [[nodiscard]] HttpResponse answer(std::string_view request, bool& without_body) const;
  [[nodiscard]] bool knows(std::string_view host) const;
  void close();

  asio::io_context& context;
  tcp::acceptor acceptor;
  Handler handler;
  HttpLimits limits;
  std::set<std::shared_ptr<Connection>> connections;
};

void HttpServer::State::close() {
  std::error_code ignored;
  acceptor.close(ignored);
  handler = nullptr;
  for (const auto& connection : connections) connection->close();
}

asio::awaitable<void> HttpServer::State::accept() {
  asio::steady_timer pause(context);
  while (acceptor.is_open()) {
    std::error_code error;
    tcp::socket socket(context);
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      welcome(std::move(socket));
    } else if (error != asio::error::operation_aborted) {
      // Most likely the process has no file descriptor left, and accept() would fail again at once.
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }
}

void HttpServer::State::welcome(tcp::socket socket) {
  if (!acceptor.is_open() || connections.size() >= 2 * limits.connections) return;
  const bool busy = connections.size() >= limits.connections;
  const auto connection = std::make_shared<Connection>(std::move(socket));
  connections.insert(connection);
  const auto done = [self = shared_from_this(), connection](const std::exception_ptr&) {
    connection->close();
    self->connections.erase(connection);
  };
  asio::co_spawn(context, serve(connection, busy), done);
}

// Closing a socket with bytes unread would reset it, and the response might be lost: so the rest is read and forgotten,
// for a second at most.
asio::awaitable<void> HttpServer::State::serve(std::shared_ptr<Connection> connection, bool busy) {
  const auto self = shared_from_this();
  HttpResponse response = refusal(503, "busy: too many connections");
  bool without_body = false;
  if (!busy) {
    std::string request;
    Connection::limit(connection, std::chrono::milliseconds(limits.request_timeout));
    co_await read(*connection, request);
    if (request.empty() || !connection->socket.is_open() || !handler) co_return;
    response = answer(request, without_body);
  }
  const std::string head = head_of(response);
  const std::array<asio::const_buffer, 2> parts{
      asio::buffer(head), asio::buffer(response.body.data(), without_body ? 0 : response.body.size())};
  std::error_code error;
  Connection::limit(connection, std::chrono::milliseconds(limits.response_timeout));
  co_await asio::async_write(connection->socket, parts, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return;

  connection->socket.shutdown(tcp::socket::shutdown_send, error);
  Connection::limit(connection, std::chrono::seconds(1));
  std::array<char, 1024> rest;
  while (!error) {
    co_await connection->socket.async_read_some(asio::buffer(rest),
                                                asio::redirect_error(asio::use_awaitable, error));
  }
}

// Until a request is entire, or cannot become one. Empty: there was none.
asio::awaitable<void> HttpServer::State::read(Connection& connection, std::string& request) const {
  std::string bytes(limits.request_bytes, '\0');
  std::size_t filled = 0;
  std::error_code error;
  while (filled < bytes.size()) {
    const auto room = asio::buffer(bytes.data() + filled, bytes.size() - filled);
    const std::size_t count =
        co_await connection.socket.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    filled += count;
    const std::string_view so_far(bytes.data(), filled);
    if (http_head_length(so_far) != std::string_view::npos || !may_be_http(so_far)) break;
  }
  bytes.resize(filled);
  request = std::move(bytes);
}

HttpResponse HttpServer::State::answer(std::string_view request, bool& without_body) const {
  const std::size_t length = http_head_length(request);
  if (length == std::string_view::npos) return may_be_http(request) ? refusal(431) : refusal(400);
  const HttpHead head = read_http_head(request.substr(0, length));
  without_body = head.head;
  if (head.status != 200) return refusal(head.status);
  if (!knows(head.host))
    return refusal(421, "this server goes by localhost, or by the address it listens on");
  try {
    return handler({head.path, head.query});
  } catch (...) {
    return refusal(500);
  }
}

// A browser always says whom it means to reach; who says nothing is no browser.
bool HttpServer::State::knows(std::string_view host) const {
  std::error_code error;
  const asio::ip::address bound = acceptor.local_endpoint(error).address();
  if (host.empty() || error || !bound.is_loopback()) return true;
  const std::string_view name = host_name(host);
  const std::string own = bound.is_v6() ? "[" + bound.to_string() + "]" : bound.to_string();
  for (const std::string_view known : {std::string_view("localhost"), std::string_view("127.0.0.1"),
                                       std::string_view("[::1]"), std::string_view(own)}) {
    if (same_word(name, known)) return true;
  }
  return false;
}

// --- the server

HttpServer::HttpServer(Loop& loop, const Address& address, Handler handler, const HttpLimits& limits)
    : state_(std::make_shared<State>(loop.context(), address, std::move(handler), limits)) {
  const auto accepting = [state = state_]() { return state->accept(); };
  asio::co_spawn(loop.context(), accepting, asio::detached);
}

HttpServer::~HttpServer() {
  state_->close();
}

Address HttpServer::address() const {
  std::error_code ignored;
  return address_of(state_->acceptor.local_endpoint(ignored));
}

}  // namespace popsgd::net
