// What every link must do, whatever carries it.
#include "agent_on_link.h"
#include "lossy_net.h"
#include "paths.h"

#include <doctest/doctest.h>

using namespace popsgd;
using namespace popsgd::test;

namespace {

// `check` for every kind of link.
void on_every_path(const std::function<void(Path& path)>& check) {
  for (const PathKind& kind : every_path()) {
    CAPTURE(kind.name);
    const auto path = kind.make();
    check(*path);
  }
}

// Sends frame after frame, as fast as the link has it, but never many at a time: what is not reliable may lose those.
class Sender {
 public:
  Sender(Diary& from, Diary& to) : from_(from), to_(to) {}

  void send(Bytes frame) { frames_.push_back(std::move(frame)); }
  bool done() {
    while (sent_ < frames_.size() && sent_ < to_.frames.size() + 4 &&
           from_.link->send(frames_[sent_]) == Status::ok)
      ++sent_;
    return to_.frames.size() == frames_.size();
  }
  [[nodiscard]] const std::vector<Bytes>& frames() const { return frames_; }

 private:
  Diary& from_;
  Diary& to_;
  std::vector<Bytes> frames_{};
  std::size_t sent_ = 0;
};

}  // namespace

TEST_CASE("frames of one byte to the MTU arrive whole, aligned, and in order") {
  on_every_path([](Path& path) {
    Sender sender(path.a(), path.b());
    const std::size_t mtu = path.a().link->traits().mtu;
    for (std::size_t size = 1; size <= mtu; size += 1 + size / 7)
      sender.send(frame_of(size, static_cast<std::uint32_t>(size)));
    for (std::size_t size = mtu - 9; size <= mtu; ++size) sender.send(frame_of(size));
    REQUIRE(path.run_until([&] { return sender.done(); }));
    CHECK(path.b().frames == sender.frames());
    CHECK(path.b().misaligned == 0);
  });
}

TEST_CASE("a thousand frames cross both ways at once") {
  on_every_path([](Path& path) {
    Sender there(path.a(), path.b());
    Sender back(path.b(), path.a());
    for (std::uint32_t k = 0; k < 1000; ++k) {
      there.send(frame_of(1 + k * 7 % 1000, k));
      back.send(frame_of(1 + k * 11 % 1000, k + 5000));
    }
    REQUIRE(
        path.run_until([&] { return static_cast<int>(there.done()) + static_cast<int>(back.done()) == 2; }));
    CHECK(path.b().frames == there.frames());
    CHECK(path.a().frames == back.frames());
    CHECK(path.a().misaligned + path.b().misaligned == 0);
  });
}

TEST_CASE("an empty frame, or one above the MTU, is refused, and the link goes on") {
  on_every_path([](Path& path) {
    CHECK(path.a().link->send({}) == Status::invalid_size);
    CHECK(path.a().link->send(frame_of(path.a().link->traits().mtu + 1U)) == Status::invalid_size);
    CHECK(path.a().link->send(frame_of(5)) == Status::ok);
    REQUIRE(path.run_until([&] { return !path.b().frames.empty(); }));
    CHECK(path.b().frames == std::vector<Bytes>{frame_of(5)});
  });
}

TEST_CASE("a link that is full says so, takes nothing, and tells when there is room") {
  on_every_path([](Path& path) {
    const std::size_t size = std::min<std::size_t>(path.a().link->traits().mtu, 16000);
    std::size_t sent = 0;
    Status status = Status::ok;
    while (sent < 2000 && status == Status::ok) {
      status = path.a().link->send(frame_of(size, static_cast<std::uint32_t>(sent)));
      sent += status == Status::ok;
    }
    CHECK(path.a().writables == 0);
    if (!path.holds_back()) return;
    CHECK(status == Status::no_room);
    REQUIRE(path.run_until([&] { return path.a().writables == 1 && path.b().frames.size() == sent; }));
    CHECK(path.a().link->send(frame_of(size, 77)) == Status::ok);
    REQUIRE(path.run_until([&] { return path.b().frames.size() == sent + 1; }));
    for (std::size_t k = 0; k < sent; ++k)
      CHECK(path.b().frames[k] == frame_of(size, static_cast<std::uint32_t>(k)));
    CHECK(path.a().writables == 1);
  });
}

TEST_CASE("a link that is closed ends once for both, never from within close(), and takes nothing more") {
  on_every_path([](Path& path) {
    Link& link = *path.a().link;
    link.close();
    link.close();
    CHECK(path.a().closings == 0);
    CHECK(link.send(frame_of(5)) == Status::link_closed);
    REQUIRE(path.run_until([&] { return path.a().closings == 1; }));
    if (path.tells_the_end()) CHECK(path.run_until([&] { return path.b().closings == 1; }));
    path.settle();
    CHECK(path.a().closings == 1);
    CHECK(path.b().closings == (path.tells_the_end() ? 1 : 0));
  });
}

TEST_CASE("both sides may close at once") {
  on_every_path([](Path& path) {
    path.a().link->close();
    path.b().link->close();
    REQUIRE(path.run_until([&] { return path.a().closings == 1 && path.b().closings == 1; }));
    path.settle();
    CHECK(path.a().closings + path.b().closings == 2);
  });
}

TEST_CASE("a link may be closed, and written to, by whoever it hands a frame") {
  on_every_path([](Path& path) {
    Diary& b = path.b();
    b.on_frame = [&b] {
      CHECK(b.link->send(frame_of(3)) == Status::ok);
      b.link->close();
      CHECK(b.closings == 0);
      CHECK(b.link->send(frame_of(3)) == Status::link_closed);
    };
    CHECK(path.a().link->send(frame_of(5)) == Status::ok);
    REQUIRE(path.run_until([&] { return b.closings == 1; }));
    b.on_frame = {};
    path.settle();
    CHECK(b.closings == 1);
  });
}

TEST_CASE("what a path is like does not change while nothing happens to it") {
  on_every_path([](Path& path) {
    const LinkTraits before = path.a().link->traits();
    CHECK(before.mtu >= 256);
    CHECK(path.b().link->traits().reliable == before.reliable);
    CHECK(path.a().link->send(frame_of(before.mtu)) == Status::ok);
    REQUIRE(path.run_until([&] { return !path.b().frames.empty(); }));
    CHECK(path.a().link->traits().mtu == before.mtu);
    CHECK(path.a().link->traits().reliable == before.reliable);
  });
}

TEST_CASE("a transport may be destroyed while its links are open and full") {
  for (const PathKind& kind : every_path()) {
    CAPTURE(kind.name);
    auto path = kind.make();
    for (int k = 0; k < 300; ++k) static_cast<void>(path->a().link->send(frame_of(1000)));
    path.reset();
  }
}

TEST_CASE("two agents exchange their models over it") {
  on_every_path([](Path& path) {
    AgentConfig config;
    config.mean_wait = 0;
    config.fresh = false;
    config.guarding.gate = false;
    config.largest_frame = path.a().link->traits().mtu;
    config.seed = 1;
    Device first(config, std::vector<float>(5000, 1.0F), net::Loop::now());
    config.seed = 2;
    Device second(config, std::vector<float>(5000, 3.0F), net::Loop::now());
    REQUIRE(first.status == Status::ok);
    AgentOnLink a(first.agent, &net::Loop::now);
    AgentOnLink b(second.agent, &net::Loop::now);
    for (const auto& [agent, diary] : {std::pair{&a, &path.a()}, std::pair{&b, &path.b()}}) {
      diary->on_frame = [agent = agent, diary = diary] {
        agent->received(*diary->link, diary->frames.back());
      };
      diary->on_writable = [agent = agent] { agent->pump(); };
      agent->begin(*diary->link);
    }
    for (std::uint64_t k = 1; k <= 3; ++k) {
      Device& asks = k % 2 == 0 ? second : first;
      REQUIRE(asks.agent.meet(AgentOnLink::kPeer, net::Loop::now()) == Status::ok);
      CHECK(path.run_until([&] {
        a.pump();
        b.pump();
        return first.agent.metrics().completed == k && second.agent.metrics().completed == k &&
               !first.agent.exchanging() && !second.agent.exchanging();
      }));
    }
    CHECK(first.x == std::vector<float>(5000, 2.0F));
    CHECK(second.x == first.x);
    path.a().on_frame = path.a().on_writable = path.b().on_frame = path.b().on_writable = {};
  });
}
