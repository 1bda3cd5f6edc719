#include "keys.h"

#include "device/entropy.h"
#include "key/key_file.h"
#include "key/qr_code.h"

#include <popsgd/sim/error.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace popsgd::command {
namespace {

constexpr const char* kKeygenExamples = R"(
Examples:
  popsgd keygen swarm.key
  popsgd agent --key swarm.key
Each swarm has one key: make it on one device, and take it to the others by popsgd enroll.
Exit: 0 done, 2 the request cannot be carried out; a file that exists is never overwritten)";

constexpr const char* kRotateExamples = R"(
Examples:
  popsgd rotate swarm.key
      the next epoch of the same key. Do it on each device within the time you choose, and start its agent
      again: neighbouring epochs meet, those two apart do not. It ends the use of what was derived for older
      epochs. It does NOT keep out anybody who has the key file or its text: all epochs are derived from it
  popsgd rotate --new-key swarm.key
      when the key has leaked, or a device is lost: a new key. All others must be enrolled again
Exit: 0 done, 2 the request cannot be carried out, and nothing has changed)";

constexpr const char* kEnrollExamples = R"(
Examples:
  popsgd enroll --key swarm.key
      shows the key as a QR code and as text. Whoever sees it may join
  popsgd enroll - --key swarm.key
      on the other device: reads the text from standard input, and writes the key file
  popsgd enroll --text --key swarm.key | ssh device popsgd enroll - --key swarm.key
A TEXT among the arguments works too, but other users see it in the list of processes meanwhile, and the
shell may remember it.
Exit: 0 done, 2 the request cannot be carried out; without --force no file is overwritten)";

void draw(SwarmKey& into) {
  device::KernelEntropy entropy;
  const Status status = entropy.fill(std::as_writable_bytes(std::span(into.bytes.value)));
  if (status != Status::ok) throw sim::Error("no key can be drawn: " + std::string(text(status)));
}

void read_standard_input(SwarmKey& into) {
  if (::isatty(STDIN_FILENO) == 1) std::fputs("Type or paste the enrolment text, POPSGD:1-...: ", stderr);
  Secret<std::array<char, kLongestKeyText + 1>> contents;
  std::size_t size = 0;
  while (size < contents.value.size()) {
    const ssize_t count = ::read(STDIN_FILENO, contents.value.data() + size, contents.value.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
    if (::isatty(STDIN_FILENO) == 1) break;  // a line
  }
  const std::string wrong = read_key_text({contents.value.data(), size}, into);
  if (!wrong.empty()) throw sim::Error("the enrolment text on standard input: " + wrong);
}

int take_over(const EnrollOptions& options) {
  std::error_code ignored;
  if (!options.force && std::filesystem::exists(std::filesystem::symlink_status(options.path, ignored)))
    throw sim::Error("'" + options.path + "' exists; --force overwrites it");
  SwarmKey key;
  if (options.text == "-") {
    read_standard_input(key);
  } else if (const std::string wrong = read_enrolment(options.text, key); !wrong.empty()) {
    throw sim::Error("the enrolment text: " + wrong + "; a key file is given by --key");
  }
  write_key_file(options.path, key, options.force ? Existing::replace : Existing::keep);
  std::printf("'%s' has the swarm's key, epoch %u: popsgd agent --key '%s'\n", options.path.c_str(),
              key.epoch, options.path.c_str());
  return 0;
}

void show(const std::string& path, bool text_only) {
  SwarmKey key;
  read_key_file(path, key);
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // a buffer would keep it
  EnrolmentText text;
  write_enrolment(key, text);
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (!text_only) print_qr_code({text.value.data(), text.value.size()}, terminal);
  const bool whole = std::fwrite(text.value.data(), 1, text.value.size(), stdout) == text.value.size();
  if (!whole || std::fputc('\n', stdout) == EOF) throw sim::Error("the enrolment text cannot be written");
  if (!text_only)
    std::printf("Epoch %u. Whoever reads this may join. On the other device: popsgd enroll - --key FILE\n",
                key.epoch);
}

}  // namespace

void declare_keygen(CLI::App& app, KeygenOptions& o) {
  app.footer(kKeygenExamples);
  app.add_option("FILE", o.path, "The key file, which must not exist yet")->required();
}

int keygen(const KeygenOptions& options) {
  SwarmKey key;
  draw(key);
  write_key_file(options.path, key, Existing::keep);
  std::printf("'%s' has the key of a new swarm; popsgd enroll --key '%s' takes it to other devices\n",
              options.path.c_str(), options.path.c_str());
  return 0;
}

void declare_rotate(CLI::App& app, RotateOptions& o) {
  app.footer(kRotateExamples);
  app.add_option("FILE", o.path, "The key file")->required();
  app.add_flag("--new-key", o.new_key, "Draw a new key, which keeps out whoever has the old one");
}

int rotate(const RotateOptions& options) {
  SwarmKey key;
  read_key_file(options.path, key);
  if (key.epoch == UINT32_MAX && !options.new_key)
    throw sim::Error("'" + options.path + "' is in its last epoch; popsgd rotate --new-key goes on");
  key.epoch = options.new_key ? 1 : key.epoch + 1;
  if (options.new_key) draw(key);
  write_key_file(options.path, key, Existing::replace);
  std::printf("'%s' has %s, epoch %u, from the next start of the agent on\n", options.path.c_str(),
              options.new_key ? "a new key" : "the same key", key.epoch);
  if (options.new_key)
    std::fputs("All other devices are to be enrolled again: popsgd enroll - --force --key FILE\n", stdout);
  else
    std::printf("Agents of epochs %u and %u meet: now rotate the other devices'\n", key.epoch - 1, key.epoch);
  return 0;
}

void declare_enroll(CLI::App& app, EnrollOptions& o) {
  app.footer(kEnrollExamples);
  app.add_option("TEXT", o.text, "An enrolment text to take over; -: from standard input");
  app.add_option("--key", o.path, "The key file that is shown, or written")->type_name("FILE")->required();
  app.add_flag("--text", o.text_only, "Show the text only, without the QR code");
  app.add_flag("--force", o.force, "Overwrite the key file");
}

int enroll(const EnrollOptions& options) {
  if (!options.text.empty()) return take_over(options);
  show(options.path, options.text_only);
  return 0;
}

}  // namespace popsgd::command
