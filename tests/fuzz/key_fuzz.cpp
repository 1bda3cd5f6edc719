// What anybody may type or paste as an enrolment text, or have as a key file: what is no key leaves all as it was, and is told in
// one line; what is one is written as a text that means the same.
#include "key/key_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace popsgd::command;

void expect(bool promise) {
  if (!promise) std::abort();
}

bool same(const SwarmKey& a, const SwarmKey& b) {
  return a.epoch == b.epoch && a.bytes.value == b.bytes.value;
}

template <typename Read>
void check(Read read, std::string_view text) {
  SwarmKey before, key;
  before.bytes.value.fill(0xA5);
  before.epoch = 77;
  key.bytes.value.fill(0xA5);
  key.epoch = 77;
  const std::string wrong = read(text, key);
  if (!wrong.empty()) {
    expect(same(key, before) && wrong.size() < 100);
    expect(std::all_of(wrong.begin(), wrong.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    return;
  }
  expect(key.epoch != 0);
  EnrolmentText written;
  write_enrolment(key, written);
  SwarmKey again;
  expect(read({written.value.data(), written.value.size()}, again).empty() && same(again, key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(read_enrolment, text);
  check(read_key_text, text);
  return 0;
}
