#include <popsgd/asio/address_text.h>
#include <popsgd/asio/error.h>

#include <doctest/doctest.h>

using namespace popsgd;
using net::parse_address;
using net::to_text;

TEST_CASE("an address survives its text") {
  for (const char* text :
       {"192.0.2.1:7777", "[2001:db8::1]:1", "[::1]:65535", "0.0.0.0:0", "[::]:7777", "[fe80::1%lo]:7777"})
    CHECK(to_text(parse_address(text)) == text);
  CHECK(parse_address("192.0.2.1:7777") == v4_address({192, 0, 2, 1}, 7777));
}

TEST_CASE("a port alone is any of this machine's addresses") {
  CHECK(parse_address(":7777") == Address{{}, 7777, 0});
}

TEST_CASE("a name is looked up") {
  const Address address = parse_address("localhost:7777");
  CHECK(address.port == 7777);
  CHECK((address == v4_address({127, 0, 0, 1}, 7777) || to_text(address) == "[::1]:7777"));
}

TEST_CASE("what is no address is refused with what is wrong with it, and what would be right") {
  const auto message = [](const char* text) -> std::string {
    try {
      static_cast<void>(parse_address(text));
    } catch (const net::Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message("192.0.2.1").starts_with("'192.0.2.1' is no address: it has no port; write 192.0.2.1:7777"));
  CHECK(message("192.0.2.1:70000").find("its port '70000' is not a number") != std::string::npos);
  CHECK(message("192.0.2.1:").find("its port ''") != std::string::npos);
  CHECK(message("::1:7777").find("in brackets") != std::string::npos);
  CHECK(message("[::1]").find("no port") != std::string::npos);
  CHECK(message("[::1:7777").find("not closed") != std::string::npos);
  CHECK(message("[no]:7777").find("no IPv6 address between") != std::string::npos);
  CHECK(message("[fe80::1%nowhere]:7777").find("no interface 'nowhere'") != std::string::npos);
  CHECK(message("no.such.host.invalid:7777").find("nobody knows the host") != std::string::npos);
}
