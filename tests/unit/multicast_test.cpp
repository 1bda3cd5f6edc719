// Real sockets, on the loopback interface.
#include <popsgd/asio/error.h>
#include <popsgd/asio/multicast.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using popsgd::Address;
using popsgd::net::Loop;
using popsgd::net::Multicast;
using popsgd::net::MulticastOptions;
using popsgd::net::Timer;

// A port of this run's own: others may be testing on the same machine.
MulticastOptions on_loopback() {
  static const auto drawn = static_cast<std::uint16_t>(21000 + Loop::now().milliseconds() % 8000);
  return {.port = drawn, .interfaces = {"lo"}};
}

struct Ear {
  std::vector<std::string> v4, v6;
};

TEST_CASE("eight on one machine each hear what one says, once by each IP version, the speaker included") {
  Loop loop;
  std::vector<Ear> ears(8);
  std::vector<std::unique_ptr<Multicast>> all;
  for (std::size_t k = 0; k < 8; ++k) {
    all.push_back(std::make_unique<Multicast>(
        loop, on_loopback(), [&ears, k](std::span<const std::byte> bytes, const Address& from) {
          const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          (from.is_v4() ? ears[k].v4 : ears[k].v6).push_back(text);
          if (from.is_v4()) CHECK(from.ip[12] == 127);
        }));
  }
  const auto use = all[0]->interfaces().at(0);
  MESSAGE(use.text());
  if (!use.v4 && !use.v6) {
    MESSAGE("skipped: no multicast here");
    return;
  }
  std::vector<std::string> said;
  std::size_t ways = 0;
  for (std::size_t k = 0; k < 8; ++k) {
    said.push_back("agent " + std::to_string(k));
    ways = all[k]->send(std::as_bytes(std::span(said.back())));
  }
  if (ways == 0) {
    MESSAGE("skipped: multicast is joined, but not let out");
    return;
  }
  const auto complete = [&](const Ear& ear) { return ear.v4.size() + ear.v6.size() == 8 * ways; };
  const auto begin = Loop::now();
  Timer look(loop, [&] {
    const bool late = Loop::now().since(begin) > 5000;
    if (late || std::all_of(ears.begin(), ears.end(), complete)) return loop.stop();
    look.after(10);
  });
  look.after(10);
  loop.run();
  for (Ear& ear : ears) {
    for (auto* heard : {&ear.v4, &ear.v6}) std::sort(heard->begin(), heard->end());
    CHECK(complete(ear));
    CHECK((ear.v4.empty() || ear.v4 == said));
    CHECK((ear.v6.empty() || ear.v6 == said));
  }
  CHECK(all[0]->interfaces().at(0).sent == ways);
}

TEST_CASE("an interface that does not exist is an error that lists those that do") {
  Loop loop;
  try {
    const Multicast none(loop, {.interfaces = {"nosuch0"}},
                         [](std::span<const std::byte>, const Address&) {});
    FAIL("no error");
  } catch (const popsgd::net::Error& error) {
    const std::string text = error.what();
    CHECK(text.find("\"nosuch0\"") != std::string::npos);
    CHECK(text.find("lo") != std::string::npos);
  }
}

TEST_CASE("each interface says what it is used for, or why it is not") {
  Loop loop;
  std::vector<std::string> changes;
  const Multicast multicast(
      loop, {.port = on_loopback().port, .loopback = true}, [](std::span<const std::byte>, const Address&) {},
      [&changes](const auto& use) { changes.push_back(use.text()); });
  const auto uses = multicast.interfaces();
  REQUIRE(changes.size() == uses.size());
  for (std::size_t k = 0; k < uses.size(); ++k) {
    MESSAGE(uses[k].text());
    CHECK(changes[k] == uses[k].text());
    CHECK((uses[k].v4 && uses[k].v6) == uses[k].problem.empty());
  }
}

TEST_CASE("what is used of an interface, and what is not, fits a line") {
  using popsgd::net::InterfaceUse;
  CHECK(InterfaceUse{.name = "eth0", .v4 = true, .v6 = true}.text() == "eth0: IPv4, IPv6");
  CHECK(InterfaceUse{.name = "eth1", .problem = "no multicast (flag missing)"}.text() ==
        "eth1: no multicast (flag missing)");
  CHECK(InterfaceUse{.name = "eth2", .v4 = true, .problem = "IPv6: no address"}.text() ==
        "eth2: IPv4; IPv6: no address");
}

TEST_CASE("one may be ended by what it hears, and while another waits") {
  Loop loop;
  std::unique_ptr<Multicast> multicast;
  bool ended = false;
  multicast =
      std::make_unique<Multicast>(loop, on_loopback(), [&](std::span<const std::byte>, const Address&) {
        multicast.reset();
        ended = true;
        loop.stop();
      });
  Timer late(loop, [&] { loop.stop(); });
  late.after(1000);
  if (multicast->send(std::as_bytes(std::span("x", 1))) == 0) return;
  loop.run();
  CHECK(ended);
}

}  // namespace
