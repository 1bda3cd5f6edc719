#include <popsgd/asio/http_server.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace popsgd::net {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Address kLoopback = v4_address({127, 0, 0, 1}, 0);
constexpr Address kLoopbackV6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, 0};

/// A server on a thread of its own, with a page "/", one of a megabyte, and one whose handler fails.
class Served {
 public:
  explicit Served(const HttpLimits& limits = {}, const Address& address = kLoopback)
      : server_(loop_, address, page, limits), thread_([this] { loop_.run(); }) {}
  ~Served() {
    loop_.post(
        [this] { loop_.stop(); });  // stop() alone would be lost if the thread has not come to run() yet
    thread_.join();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  [[nodiscard]] std::uint16_t port() const { return server_.address().port; }

 private:
  static HttpResponse page(const HttpRequest& request) {
    if (request.path == "/") return {200, "text/html", "hello?" + std::string(request.query)};
    if (request.path == "/long") return {200, "text/plain", std::string(1000000, 'x')};
    if (request.path == "/broken") throw std::runtime_error("secret");
    return {404, "text/plain", "no such page"};
  }

  Loop loop_;
  HttpServer server_;
  std::thread thread_;
};

/// A raw TCP connection of a client.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr generic{};
    std::memcpy(&generic, &address, sizeof address);
    REQUIRE(::connect(socket_, &generic, sizeof address) == 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has hung up; what it said can still be read
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// All that comes until the server hangs up, which it must do within ten seconds.
  [[nodiscard]] std::string receive() const {
    std::string all;
    std::array<char, 4096> some{};
    for (;;) {
      pollfd ready{socket_, POLLIN, 0};
      if (::poll(&ready, 1, 10000) != 1) return all + "\n(the server did not hang up)";
      const auto count = ::recv(socket_, some.data(), some.size(), 0);
      if (count <= 0) return all;
      all.append(some.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  int socket_;
};

std::string ask(const Served& served, std::string_view request) {
  const Client client(served.port());
  client.send(request);
  return client.receive();
}

std::string get(const Served& served, std::string_view path, std::string_view host = "localhost") {
  return ask(served, "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
}

std::string first_line(const std::string& response) {
  return response.substr(0, response.find("\r\n"));
}

std::string body(const std::string& response) {
  const auto end = response.find("\r\n\r\n");
  return end == std::string::npos ? "(no body)" : response.substr(end + 4);
}

bool has(const std::string& response, std::string_view words) {
  return response.find(words) != std::string::npos;
}

void check_well(const Served& served) {
  CHECK(first_line(get(served, "/")) == "HTTP/1.1 200 OK");
}

}  // namespace

TEST_CASE("a page comes with its length, is not kept, and the connection is closed") {
  const Served served;
  const std::string response = get(served, "/?a=%2e&b");
  CHECK(first_line(response) == "HTTP/1.1 200 OK");
  CHECK(has(response, "\r\nContent-Type: text/html\r\n"));
  CHECK(has(response, "\r\nContent-Length: 13\r\n"));
  CHECK(has(response, "\r\nConnection: close\r\n"));
  CHECK(has(response, "\r\nCache-Control: no-store\r\n"));
  CHECK(has(response, "\r\nContent-Security-Policy: default-src 'none';"));
  CHECK(body(response) == "hello?a=%2e&b");
  CHECK(body(get(served, "/long")).size() == 1000000);
}

TEST_CASE("HEAD is answered as GET, without the body") {
  const Served served;
  const std::string response = ask(served, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(first_line(response) == "HTTP/1.1 200 OK");
  CHECK(has(response, "\r\nContent-Length: 6\r\n"));
  CHECK(body(response).empty());
}

TEST_CASE("a request may come byte by byte, and be followed by others that are not answered") {
  const Served served;
  const Client client(served.port());
  for (const char c : std::string_view("GET / HTTP/1.1\r\nhost:localhost\r\n\r\n")) {
    client.send({&c, 1});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(body(client.receive()) == "hello?");
  const std::string one = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  CHECK(body(ask(served, one + one + std::string(100, '\0'))) == "hello?");
  CHECK(body(ask(served, one + std::string(200000, 'x'))) == "hello?");
}

TEST_CASE("what is no page is 404, a failing handler 500 without its words") {
  const Served served;
  CHECK(first_line(get(served, "/../etc/passwd")) == "HTTP/1.1 404 Not Found");
  const std::string broken = get(served, "/broken");
  CHECK(first_line(broken) == "HTTP/1.1 500 Internal Server Error");
  CHECK_FALSE(has(broken, "secret"));
}

TEST_CASE("other methods are 405, and named are those that are served") {
  const Served served;
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "FROBNICATE"}) {
    const std::string response = ask(served, std::string(method) + " / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(first_line(response) == "HTTP/1.1 405 Method Not Allowed");
    CHECK(has(response, "\r\nAllow: GET, HEAD\r\n"));
  }
  CHECK(first_line(ask(served, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")) ==
        "HTTP/1.1 405 Method Not Allowed");
}

TEST_CASE("what is no request is 400") {
  const Served served;
  const std::vector<std::string> garbage{
      "GET / HTTP/1.1\r\n\r\n",                                        // no Host
      "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",  // two of them
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",                           // no name
      "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",                    // RFC 9112, 5.1
      "GET / HTTP/1.1\r\nHost: localhost\r\n goes: on\r\n\r\n",        // obsolete folding
      "GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345",
      "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: localhost\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /\r\nHost: localhost\r\n\r\n",
      "GET nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /\x80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1\nHost: localhost\n\n",  // lines end in CR LF
      "\r\n\r\n",
      std::string("GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 37),
      "\x16\x03\x01\x02",  // TLS says hello
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
  };
  for (const std::string& request : garbage) {
    CAPTURE(request);
    CHECK(first_line(ask(served, request)) == "HTTP/1.1 400 Bad Request");
  }
  CHECK(first_line(ask(served, "GET / HTTP/1.0\r\n\r\n")) == "HTTP/1.1 200 OK");
}

TEST_CASE("a head of more than 4096 bytes is 431") {
  const Served served;
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
  const std::string end = "\r\n\r\n";
  const std::string just_fits = request + std::string(4096 - request.size() - end.size(), 'x') + end;
  CHECK(first_line(ask(served, just_fits)) == "HTTP/1.1 200 OK");
  const std::string response = ask(served, request + std::string(100000, 'x') + end);
  CHECK(first_line(response) == "HTTP/1.1 431 Request Header Fields Too Large");
  check_well(served);
}

TEST_CASE("bound to loopback, it answers to no foreign name") {
  const Served served;
  for (const char* host : {"localhost", "LocalHost:80", "127.0.0.1", "127.0.0.1:9090", "[::1]", "[::1]:1"}) {
    CAPTURE(host);
    CHECK(first_line(get(served, "/", host)) == "HTTP/1.1 200 OK");
  }
  for (const char* host :
       {"evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.2", "[::2]", "]", ":"}) {
    CAPTURE(host);
    CHECK(first_line(get(served, "/", host)) == "HTTP/1.1 421 Misdirected Request");
  }
  const Served second({}, v4_address({127, 0, 0, 1}, 0));
  CHECK(first_line(get(second, "/", "127.0.0.1")) == "HTTP/1.1 200 OK");
  const Served everywhere({}, v4_address({0, 0, 0, 0}, 0));
  CHECK(first_line(get(everywhere, "/", "raspberrypi.local:9090")) == "HTTP/1.1 200 OK");
}

TEST_CASE("whoever is slow to ask is hung up on, and holds nobody up") {
  HttpLimits limits;
  limits.request_timeout = 300;
  const Served served(limits);
  const auto start = Clock::now();
  const Client slow(served.port()), silent(served.port());
  slow.send("GET / HT");
  check_well(served);
  std::thread drip([&] {
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      slow.send("T");
    }
  });
  CHECK(slow.receive().empty());
  CHECK(silent.receive().empty());
  CHECK(Clock::now() - start >= std::chrono::milliseconds(290));
  CHECK(Clock::now() - start < std::chrono::seconds(3));
  drip.join();
  check_well(served);
}

TEST_CASE("whoever is slow to take its page is hung up on") {
  HttpLimits limits;
  limits.response_timeout = 300;
  limits.connections = 1;
  const Served served(limits);
  std::vector<std::unique_ptr<Client>> greedy;
  greedy.push_back(std::make_unique<Client>(served.port()));
  greedy[0]->send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(1600));
  check_well(served);
}

TEST_CASE("connections beyond the sixteenth are told 503, and those served are served") {
  const Served served;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<Client>(served.port()));
    clients.back()->send("GET / HTTP/1.1\r\n");
  }
  const std::string busy = get(served, "/");
  CHECK(first_line(busy) == "HTTP/1.1 503 Service Unavailable");
  CHECK(has(busy, "\r\nRetry-After: 1\r\n"));
  for (const auto& client : clients) {
    client->send("Host: localhost\r\n\r\n");
    CHECK(first_line(client->receive()) == "HTTP/1.1 200 OK");
  }
  clients.clear();
  check_well(served);
}

TEST_CASE("after a thousand connections of garbage it serves as before") {
  const Served served;
  unsigned noise = 12345;
  for (int i = 0; i < 1000; ++i) {
    const Client client(served.port());
    std::string bytes(noise % 300, '\0');
    for (char& c : bytes) c = static_cast<char>((noise = noise * 1664525U + 1013904223U) >> 24U);
    client.send(bytes);  // and leaves, most often before it is answered
    noise = noise * 1664525U + 1013904223U;
  }
  for (int attempt = 0; attempt < 50 && !has(get(served, "/"), "200 OK"); ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the last ones are on their way out
  }
  check_well(served);
}

TEST_CASE("a server that goes hangs up on those it serves") {
  Loop loop;
  auto server =
      std::make_unique<HttpServer>(loop, kLoopback, [](const HttpRequest&) { return HttpResponse{}; });
  std::thread thread([&] { loop.run(); });
  const Client client(server->address().port);
  client.send("GET / HTTP/1.1\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  loop.post([&] { server.reset(); });
  CHECK(client.receive().empty());
  loop.stop();
  thread.join();
}

TEST_CASE("an address that cannot be listened on is named, with what would be right") {
  Loop loop;
  const HttpServer::Handler nothing = [](const HttpRequest&) { return HttpResponse{}; };
  const HttpServer first(loop, kLoopback, nothing);
  const std::string place = "127.0.0.1:" + std::to_string(first.address().port);
  const std::string sentence =
      "cannot serve web pages at " + place + ": another program listens there; stop it, or take another port";
  CHECK_THROWS_WITH_AS(HttpServer(loop, first.address(), nothing), sentence.c_str(), Error);
  CHECK_THROWS_WITH_AS(HttpServer(loop, v4_address({192, 0, 2, 1}, 8080), nothing),
                       "cannot serve web pages at 192.0.2.1:8080: this machine has no such address; "
                       "127.0.0.1 is the machine itself, 0.0.0.0 all of its addresses",
                       Error);
}

TEST_CASE("it listens on IPv6 where the machine has it") {
  try {
    const Served served({}, kLoopbackV6);
    CHECK(served.port() != 0);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("[::1]:0") != std::string::npos);
  }
}

}  // namespace popsgd::net
