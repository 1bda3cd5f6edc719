// The key of a swarm as text and as a file, and the keys that an agent makes of it.
#include "agent/beacon_keys.h"
#include "agent/setup.h"
#include "agent/swarm_keys.h"
#include "key/key_file.h"
#include "key/key_text.h"
#include "scratch_directory.h"
#include "swarm_key.h"

#include <popsgd/random.h>
#include <popsgd/sim/error.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace popsgd;
using namespace popsgd::command;
using popsgd::test::ScratchDirectory;
namespace fs = std::filesystem;

void fill(SwarmKey& key, std::uint64_t seed, std::uint32_t epoch) {
  Random random(seed, Purpose::user);
  for (auto& byte : key.bytes.value) byte = static_cast<std::uint8_t>(random.below(256));
  key.epoch = epoch;
}

std::string text_of(const SwarmKey& key) {
  EnrolmentText text;
  write_enrolment(key, text);
  return {text.value.begin(), text.value.end()};
}

bool same(const SwarmKey& a, const SwarmKey& b) {
  return a.epoch == b.epoch && a.bytes.value == b.bytes.value;
}

std::string contents(const fs::path& path) {
  std::ostringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const sim::Error& error) {
    return error.what();
  }
  return {};
}

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

// By Python: base64.b32encode() of epoch, key and CRC-32C, its letters moved to Crockford's.
TEST_CASE("the enrolment text is what another program makes of epoch, key and checksum") {
  SwarmKey key;
  for (std::size_t k = 0; k < key.bytes.value.size(); ++k) key.bytes.value[k] = static_cast<std::uint8_t>(k);
  key.epoch = 3;
  CHECK(text_of(key) ==
        "POPSGD:1-0000-00R0-0410-6105-0R3G-G28A-1C60-T3GF-208H-44RM-2MB1-E60S-38DH-R78Y-3ZC2-2527");
}

TEST_CASE("what was written is read, of any key, also as people write it") {
  for (std::uint32_t k = 1; k <= 200; ++k) {
    CAPTURE(k);
    SwarmKey key, read;
    fill(key, k, k % 3 == 0 ? UINT32_MAX : k);
    std::string text = text_of(key);
    CHECK(text.size() == kEnrolmentText);
    CHECK(read_enrolment(text, read) == "");
    CHECK(same(key, read));
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    std::replace(text.begin() + 9, text.end(), '0', 'o');
    std::replace(text.begin() + 9, text.end(), '1', k % 2 == 0 ? 'l' : 'I');
    std::replace(text.begin() + 9, text.end(), '-', ' ');
    SwarmKey typed;
    CHECK(read_enrolment("  " + text + "\r", typed) == "");
    CHECK(same(key, typed));
  }
}

TEST_CASE(
    "every character that is mistyped, left out, doubled or swapped with the next is noticed, and nothing is "
    "read") {
  SwarmKey key;
  fill(key, 5, 9);
  const std::string good = text_of(key);
  const std::string letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZU*";
  SwarmKey untouched;
  fill(untouched, 6, 77);
  const auto refused = [&](const std::string& text) {
    SwarmKey read;
    fill(read, 6, 77);
    const std::string why = read_enrolment(text, read);
    CAPTURE(text);
    CHECK(why != "");
    CHECK(same(read, untouched));
    // What is wrong is said without a word of what was given.
    CHECK_FALSE(contains(why, good.substr(9, 9)));
  };
  for (std::size_t k = 0; k < good.size(); ++k) {
    if (good[k] == '-' && k > 9) continue;
    for (const char letter : letters) {
      std::string bad = good;
      bad[k] = letter;
      if (bad != good) refused(bad);
    }
    std::string bad = good;
    refused(bad.erase(k, 1));
    if (k < 9) continue;
    bad = good;
    refused(bad.insert(k, 1, good[k]));
    if (k + 1 == good.size() || good[k + 1] == '-' || good[k + 1] == good[k]) continue;
    bad = good;
    std::swap(bad[k], bad[k + 1]);
    refused(bad);
  }
}

TEST_CASE("a microcontroller reads what keygen has written, and nothing else") {
  for (std::uint64_t k = 0; k < 20; ++k) {
    SwarmKey key;
    fill(key, k, 1 + static_cast<std::uint32_t>(k * 214'748'364));
    const auto read = firmware::swarm_key_from(text_of(key));
    REQUIRE(read);
    CHECK(read->epoch == key.epoch);
    CHECK(std::ranges::equal(read->bytes, std::as_bytes(std::span(key.bytes.value))));
  }
  SwarmKey key;
  fill(key, 5, 9);
  const std::string good = text_of(key);
  for (std::size_t k = 0; k < good.size(); ++k) {
    if (good[k] == '-' && k > 9) continue;
    CAPTURE(k);
    CHECK_FALSE(firmware::swarm_key_from(std::string_view(good).substr(0, k)));
    std::string bad = good;
    bad[k] = bad[k] == '0' ? '1' : '0';
    CHECK_FALSE(firmware::swarm_key_from(bad));
    bad[k] = 'U';
    CHECK_FALSE(firmware::swarm_key_from(bad));
  }
  CHECK_FALSE(firmware::swarm_key_from(good + "0"));
  CHECK_FALSE(firmware::swarm_key_from(good + good.substr(9)));
  key.epoch = 0;
  CHECK_FALSE(firmware::swarm_key_from(text_of(key)));
}

TEST_CASE("texts that are none are refused by what is wrong with them") {
  SwarmKey key, read;
  fill(key, 1, 1);
  const std::string good = text_of(key);
  const auto why = [&read](const std::string& text) { return read_enrolment(text, read); };
  CHECK(contains(why(""), "does not begin with POPSGD:1-"));
  CHECK(contains(why("swarm.key"), "does not begin with"));
  CHECK(contains(why("POPSGD:"), "of a version"));
  CHECK(contains(why("popsgd:2-" + good.substr(9)), "of a version"));
  CHECK(contains(why("POPSGD:1-"), "it has 0 letters and digits"));
  CHECK(contains(why(good + "-0000"), "it has 68"));
  CHECK(contains(why(std::string(100'000, '0').replace(0, 9, "POPSGD:1-")), "it has 99991"));
  CHECK(contains(why("POPSGD:1-" + std::string(64, '\0')), "character 10"));
  CHECK(contains(why("POPSGD:1-" + std::string(64, '\xFF')), "character 10"));
  SwarmKey never;
  never.epoch = 0;
  CHECK(contains(why(text_of(never)), "epoch 0"));
}

TEST_CASE("a key file has one line that is no comment") {
  SwarmKey key, read;
  fill(key, 2, 4);
  const std::string good = text_of(key);
  for (const std::string& text :
       {good, good + "\n", "# a\n\n" + good + "\r\n#b", "\n\n  " + good + "  \n\n"}) {
    SwarmKey again;
    CHECK(read_key_text(text, again) == "");
    CHECK(same(again, key));
  }
  CHECK(contains(read_key_text("", read), "no key"));
  CHECK(contains(read_key_text("# only\n#comments", read), "no key"));
  CHECK(contains(read_key_text(good + "\n" + good, read), "more than one line"));
  CHECK(contains(read_key_text("-----BEGIN PRIVATE KEY-----\n", read), "does not begin"));
  CHECK(contains(read_key_text(good + std::string(1024, '\n'), read), "longer than 1024"));
}

TEST_CASE("a key file is for its owner only from the beginning, and is not overwritten unasked") {
  const ScratchDirectory directory;
  const std::string path = (directory.path() / "key").string();
  SwarmKey first, second, read;
  fill(first, 1, 1);
  fill(second, 2, 2);
  const mode_t before = ::umask(0);
  write_key_file(path, first, Existing::keep);
  ::umask(before);
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 07777U) == 0600);
  read_key_file(path, read);
  CHECK(same(read, first));

  CHECK(contains(error_of([&] { write_key_file(path, second, Existing::keep); }),
                 "exists, and is not overwritten"));
  read_key_file(path, read);
  CHECK(same(read, first));
  write_key_file(path, second, Existing::replace);
  read_key_file(path, read);
  CHECK(same(read, second));

  fs::create_symlink(directory.path() / "nothing", directory.path() / "dangling");
  const std::string dangling = (directory.path() / "dangling").string();
  CHECK(contains(error_of([&] { write_key_file(dangling, first, Existing::keep); }), "exists"));
  CHECK(contains(error_of([&] { write_key_file("/proc/key", first, Existing::keep); }), "/proc/key"));
  CHECK(contains(error_of([&] { write_key_file(path + "/key", first, Existing::keep); }), "cannot write"));
  CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 2);  // nothing else is left
}

TEST_CASE("of many that make the same key file at once, one does, and the file is its") {
  const ScratchDirectory directory;
  const std::string path = (directory.path() / "key").string();
  std::vector<int> done(8);
  {
    std::vector<std::jthread> all;
    for (std::size_t k = 0; k < done.size(); ++k) {
      all.emplace_back([&, k] {
        SwarmKey key;
        fill(key, k, static_cast<std::uint32_t>(k + 1));
        done[k] = error_of([&] { write_key_file(path, key, Existing::keep); }).empty() ? 1 : 0;
      });
    }
  }
  REQUIRE(std::count(done.begin(), done.end(), 1) == 1);
  SwarmKey read;
  read_key_file(path, read);
  CHECK(done[read.epoch - 1] == 1);
  CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("of many that raise a key file's epoch at once, each raises it by one") {
  const ScratchDirectory directory;
  const std::string path = (directory.path() / "key").string();
  SwarmKey key;
  fill(key, 1, 1);
  { const KeyFileLock nothing_to_lock(path); }
  write_key_file(path, key, Existing::keep);
  {
    std::vector<std::jthread> all;
    for (int k = 0; k < 8; ++k) {
      all.emplace_back([&path] {
        for (int turns = 0; turns < 5; ++turns) {
          const KeyFileLock lock(path);
          SwarmKey mine;
          read_key_file(path, mine);
          ++mine.epoch;
          write_key_file(path, mine, Existing::replace);
        }
      });
    }
  }
  SwarmKey read;
  read_key_file(path, read);
  CHECK(read.epoch == 41);
  CHECK(read.bytes.value == key.bytes.value);
}

TEST_CASE("a key file that others may read or change is refused, with what to do") {
  const ScratchDirectory directory;
  const std::string path = (directory.path() / "key").string();
  SwarmKey key, read;
  fill(key, 1, 1);
  write_key_file(path, key, Existing::keep);
  for (const mode_t mode : {0640U, 0660U, 0604U, 0644U, 0602U, 0610U, 0777U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const std::string why = error_of([&] { read_key_file(path, read); });
    CAPTURE(mode);
    CHECK(contains(why, "others may read or change it"));
    CHECK(contains(why, "chmod 600 '" + path + "'"));
  }
  for (const mode_t mode : {0600U, 0400U, 0700U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    CHECK(error_of([&] { read_key_file(path, read); }).empty());
  }
  if (::geteuid() != 0) return;
  REQUIRE(::chown(path.c_str(), 12345, 0) == 0);
  CHECK(contains(error_of([&] { read_key_file(path, read); }), "user 12345's"));
}

TEST_CASE(
    "what is no key file is refused by name: nothing, a link, a directory, a pipe, a device, another file") {
  const ScratchDirectory directory;
  const auto why = [](const fs::path& path) {
    SwarmKey read;
    return error_of([&] { read_key_file(path.string(), read); });
  };
  const fs::path here = directory.path();
  CHECK(contains(why(here / "none"), "popsgd keygen makes one"));
  SwarmKey key;
  fill(key, 1, 1);
  write_key_file((here / "key").string(), key, Existing::keep);
  fs::create_symlink(here / "key", here / "link");
  CHECK(contains(why(here / "link"), "it is a symbolic link"));
  CHECK(contains(why(here), "not a regular file"));
  REQUIRE(::mkfifo((here / "pipe").c_str(), 0600) == 0);
  CHECK(contains(why(here / "pipe"), "not a regular file"));
  CHECK(contains(why("/dev/zero"), "/dev/zero"));
  const auto write = [&here](const std::string& name, const std::string& text) {
    std::ofstream(here / name) << text;
    fs::permissions(here / name, fs::perms::owner_read);
    return here / name;
  };
  CHECK(contains(why(write("empty", "")), "no key in it"));
  CHECK(contains(why(write("long", std::string(5000, 'x'))), "longer than 1024"));
  std::string typo = contents(here / "key");
  typo[typo.size() - 10] = typo[typo.size() - 10] == '0' ? '2' : '0';
  const std::string said = why(write("typo", typo));
  CHECK(contains(said, "checksum"));
  CHECK_FALSE(contains(said, "POPSGD"));
}

TEST_CASE("an agent takes the keys of its epoch and of the one before, and says which file is missing") {
  const ScratchDirectory directory;
  AgentOptions options;
  options.key = (directory.path() / "key").string();
  CHECK(contains(error_of([&] { static_cast<void>(keys_from(options)); }), options.key));
  SwarmKey key;
  fill(key, 8, 5);
  write_key_file(options.key, key, Existing::keep);
  auto keys = keys_from(options);
  REQUIRE(keys);
  CHECK(keys->current.epoch == 5);
  REQUIRE(keys->previous);
  CHECK(keys->previous->epoch == 4);
  secure::EpochKeys four;
  REQUIRE(secure::derive(std::as_bytes(std::span(key.bytes.value)), 4, four) == Status::ok);
  CHECK(*keys->previous == four);
  command::forget(keys);
  CHECK_FALSE(keys);
  options.insecure = true;
  CHECK(contains(error_of([&] { static_cast<void>(keys_from(options)); }), "contradict"));
}

TEST_CASE(
    "whoever watches a key file is told once of each epoch and key, and of what is none, and keeps what it "
    "has") {
  const ScratchDirectory directory;
  const std::string path = (directory.path() / "key").string();
  SwarmKey key, other;
  fill(key, 8, 5);
  fill(other, 9, 1);
  write_key_file(path, key, Existing::keep);
  KeyWatch watch(path, keys_of(key).current);
  const auto found = [&watch](bool same_key, const SwarmKey& wanted) {
    const auto now = watch.look();
    REQUIRE(now);
    CHECK(now->same_key == same_key);
    CHECK(now->keys.current == keys_of(wanted).current);
    CHECK(now->keys.previous == keys_of(wanted).previous);
    CHECK_FALSE(watch.look());
  };
  CHECK_FALSE(watch.look());
  write_key_file(path, key, Existing::replace);  // the same again
  CHECK_FALSE(watch.look());
  key.epoch = 7;  // two epochs in one step
  write_key_file(path, key, Existing::replace);
  found(true, key);
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(contains(error_of([&] { static_cast<void>(watch.look()); }), "chmod 600"));
  CHECK_FALSE(watch.look());
  fs::remove(path);
  CHECK(contains(error_of([&] { static_cast<void>(watch.look()); }), path));
  CHECK_FALSE(watch.look());
  write_key_file(path, other, Existing::keep);
  found(false, other);
  key.epoch = 6;  // a copy from before is put back
  write_key_file(path, key, Existing::replace);
  found(false, key);
  key.epoch = 5;
  write_key_file(path, key, Existing::replace);
  found(true, key);
}

TEST_CASE("without a key, plain text is for the loopback interface alone, or said to be wanted") {
  AgentOptions here;
  here.listen = "127.0.0.1:0";
  here.no_discovery = true;
  here.peers = {"127.0.0.1:7777", "[::1]:7777"};
  const auto why = [](const AgentOptions& options) {
    return error_of([&] { static_cast<void>(keys_from(options)); });
  };
  CHECK(why(here).empty());
  AgentOptions v6 = here;
  v6.listen = "[::1]:0";
  CHECK(why(v6).empty());
  AgentOptions beacons = here;
  beacons.no_discovery = false;
  beacons.interfaces = {"lo"};
  CHECK(why(beacons).empty());

  const auto refused = [&why](AgentOptions options, const std::string& words) {
    const std::string said = why(options);
    CAPTURE(said);
    CHECK(contains(said, words));
    CHECK(contains(said, "popsgd keygen FILE"));
    CHECK(contains(said, "--insecure"));
    CHECK_FALSE(contains(said, "\n"));
    options.insecure = true;
    CHECK(why(options).empty());
  };
  AgentOptions other = here;
  other.listen.clear();
  refused(other, "all addresses");
  other.listen = ":7777";
  refused(other, "--listen :7777");
  other.listen = "192.0.2.1:0";
  refused(other, "--listen 192.0.2.1:0");
  other = here;
  other.peers.push_back("192.0.2.7:1");
  refused(other, "--peer 192.0.2.7:1");
  other = here;
  other.no_discovery = false;
  refused(other, "all interfaces");
  other.loopback = true;
  refused(other, "all interfaces");
  other.interfaces = {"lo", "eth0"};
  refused(other, "--interface eth0");
  refused(AgentOptions{}, "all addresses");
}

// Independent of the code under test: HMAC's oracle is in key_schedule_test.cpp; here it is who accepts what.
TEST_CASE("beacon keys accept what members of their epoch and the one before have made, and nobody else") {
  const auto keys = [](std::uint64_t seed, std::uint32_t epoch) {
    SwarmKey key;
    fill(key, seed, epoch);
    secure::SwarmKeys made;
    const auto bytes = std::as_bytes(std::span(key.bytes.value));
    REQUIRE(secure::derive(bytes, epoch, made.current) == Status::ok);
    REQUIRE(secure::derive(bytes, epoch - 1, made.previous.emplace()) == Status::ok);
    return made;
  };
  BeaconKeys own(keys(1, 0x10005)), before(keys(1, 0x10004)), two_before(keys(1, 0x10003)),
      other(keys(2, 0x10005));
  const auto message = std::as_bytes(std::span("a beacon"));
  const auto accepts = [&message](BeaconKeys& of, BeaconKeys& by) {
    return by.accepts(of.epoch()) && by.verify(of.epoch(), message, of.code(message));
  };
  CHECK(own.epoch() == 5);
  CHECK(accepts(own, own));
  CHECK(accepts(before, own));
  CHECK_FALSE(accepts(own, before));
  CHECK_FALSE(accepts(two_before, own));
  CHECK_FALSE(accepts(other, own));
  const discovery::BeaconCode code = own.code(message);
  for (std::size_t bit = 0; bit < 8 * code.size(); ++bit) {
    discovery::BeaconCode bad = code;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1U << bit % 8);
    CHECK_FALSE(own.verify(5, message, bad));
  }
  CHECK_FALSE(own.verify(4, message, code));
  CHECK_FALSE(own.verify(6, message, code));
  CHECK_FALSE(own.verify(5, message.subspan(1), code));
}

}  // namespace
