// Reaches what links over sockets need at link time. Asio itself is not needed.
#include <popsgd/asio/address_text.h>
#include <popsgd/asio/tcp.h>

#include <cstdio>

namespace {

// Calls itself, and is content when it is called.
class Caller final : public popsgd::net::Listener, public popsgd::LinkUser {
 public:
  explicit Caller(popsgd::net::Loop& loop) : loop_(loop) {}
  popsgd::LinkUser& opened(popsgd::Link&, const popsgd::Address&, bool dialled) noexcept override {
    if (dialled) loop_.stop();
    return *this;
  }
  void dial_failed(const popsgd::Address&, std::string_view) noexcept override { loop_.stop(); }
  void received(popsgd::Link&, std::span<const std::byte>) noexcept override {}
  void writable(popsgd::Link&) noexcept override {}
  void closed(popsgd::Link&) noexcept override {}

 private:
  popsgd::net::Loop& loop_;
};

}  // namespace

int main() {
  popsgd::net::Loop loop;
  Caller caller(loop);
  popsgd::net::TcpTransport transport(loop, {}, caller);
  const popsgd::Address here = transport.listen(popsgd::net::parse_address("127.0.0.1:0"));
  transport.dial(here);
  loop.run();
  std::printf("%s called itself %llu times\n", popsgd::net::to_text(here).c_str(),
              static_cast<unsigned long long>(transport.metrics().dialled));
  return transport.metrics().dialled == 1 ? 0 : 1;
}
