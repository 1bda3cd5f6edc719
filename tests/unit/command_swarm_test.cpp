// What popsgd swarm reads from its agents, and what it shows of them.
#include "swarm/child.h"
#include "swarm/member.h"
#include "swarm/view.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace popsgd::command;

namespace {

std::vector<std::string> cut(std::initializer_list<std::string_view> pieces) {
  std::vector<std::string> read;
  Lines lines;
  for (const std::string_view piece : pieces)
    lines.add(piece, [&](std::string_view line) { read.emplace_back(line); });
  return read;
}

}  // namespace

TEST_CASE("lines come whole, however a pipe cuts them") {
  CHECK(cut({"one\ntw", "o", "\n", "\nthree"}) == std::vector<std::string>{"one", "two", ""});
}

TEST_CASE("a line without an end takes no memory, and the next one is read") {
  const std::string flood(Lines::kLongest, 'x');
  CHECK(cut({flood, flood, flood, "\nnext\n"}) == std::vector<std::string>{"next"});
  CHECK(cut({flood + "y\nnext\n"}) == std::vector<std::string>{"next"});
  CHECK(cut({flood + "\n"}).front().size() == Lines::kLongest);
}

TEST_CASE("a member takes what an agent tells, and nothing from anything else") {
  Member member;
  member.hear(R"({"event":"listening","text":"listening at tcp 127.0.0.1:1"})");
  CHECK(member.begun);
  member.hear(R"({"event":"status","steps":120,"loss":0.5,"accuracy":null,"links":3,"completed":7})");
  CHECK(member.steps == 120);
  CHECK(member.loss == 0.5);
  CHECK(member.links == 3);
  CHECK(member.completed == 7);
  for (const char* line :
       {"", "null", "[1]", "{\"event\":", R"({"event":"status","steps":"many","loss":"low"})",
        R"({"event":7,"steps":1})", R"({"event":"status","steps":-1,"settled":3})"})
    member.hear(line);
  CHECK(member.steps == 120);
  CHECK(member.loss == 0.5);
  member.hear(R"({"event":"result","loss":null,"test_accuracy":0.9})");
  CHECK(member.loss == 0.5);
  CHECK(member.accuracy == 0.9);
}

TEST_CASE("a view has a line for each agent, or as many as there is room for") {
  const std::vector<Member> members(10);
  CHECK(view(members, 1, 24).size() == 12);
  const auto few = view(members, 1, 8);
  CHECK(few.size() == 7);
  CHECK(few[5].find("and 6 more") != std::string::npos);
  for (const std::size_t lines : {0U, 1U, 2U, 3U, 4U})
    CHECK(view(members, 1, lines).size() <= std::max<std::size_t>(lines, 1));
}
