// What comes to a secure link before, and after, its peer has proven itself: the input is a script of what somebody on the path does
// to each message of two members. Whatever that is: nothing crashes, and a member hears what the other has said, in order and
// at most once, or nothing. See secure_script.h.
#include "secure_script.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

using namespace popsgd::test;

void expect(bool promise) {
  if (!promise) std::abort();
}

// `heard` is a part of `said`, in its order.
void check(const std::vector<Bytes>& heard, const std::vector<Bytes>& said, bool reliable) {
  auto next = said.begin();
  for (const Bytes& frame : heard) {
    next = std::find(next, said.end(), frame);
    expect(next != said.end());
    ++next;
  }
  expect(!reliable || std::equal(heard.begin(), heard.end(), said.begin()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SecureScript script(std::as_bytes(std::span(data, size)));
  Meeting& meeting = script.meeting;
  meeting.dial(script.both_dial);
  meeting.run(2'000);
  std::vector<Bytes> said;
  for (std::uint32_t k = 0; k < 3 && meeting.met(); ++k) {
    said.push_back(frame_of(40 + k, k));
    for (Guarded* member : {&meeting.caller, &meeting.called})
      if (member->in()) static_cast<void>(member->last()->link->send(said.back()));
    meeting.run(10);
  }
  meeting.run(20'000);
  for (Guarded* member : {&meeting.caller, &meeting.called}) {
    for (const auto& diary : member->diaries) check(diary->frames, said, meeting.reliable);
    // Who is silenced does not prove itself.
    expect(!script.silenced || member->diaries.empty());
  }
  return 0;
}
