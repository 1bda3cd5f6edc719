// A web server for a few pages of text: enough for a browser and for Prometheus, and closed to whatever else comes.
#pragma once

#include <popsgd/address.h>
#include <popsgd/asio/error.h>
#include <popsgd/asio/loop.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace popsgd::net {

/// GET or HEAD of a page, as the client wrote it: nothing is decoded, "%2e" stays "%2e".
struct HttpRequest {
  std::string_view path;   ///< begins with '/'
  std::string_view query;  ///< what follows '?'; may be empty
};

struct HttpResponse {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

/// What a client may ask of the server.
struct HttpLimits {
  std::size_t request_bytes = 4096;
  std::size_t connections = 16;  ///< served at a time; as many again are told 503, others are hung up on
  std::uint32_t request_timeout = 5000;    ///< ms, for all of the request
  std::uint32_t response_timeout = 20000;  ///< ms, to take all of the response
};

/// Answers each connection's first request and closes it. All on the loop's thread, the handler too. Bound to a loopback
/// address it also checks under which name it was addressed: a page from elsewhere cannot read it by pointing a name of
/// its own here (DNS rebinding).
class HttpServer {
 public:
  /// Of GET and of HEAD, whose body is then left out. What it throws is answered by 500.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  /// Listens when it returns. Port 0: any free one. Throws Error.
  HttpServer(Loop& loop, const Address& address, Handler handler, const HttpLimits& limits = {});
  /// Hangs up on everybody. Must not outlive its loop.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  HttpServer(HttpServer&&) = delete;
  HttpServer& operator=(HttpServer&&) = delete;

  /// Where it listens.
  [[nodiscard]] Address address() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the connections under way
};

}  // namespace popsgd::net
