#include "swarm/processes.h"

#include <popsgd/sim/error.h>

#include <algorithm>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace popsgd::command {
namespace {

constexpr auto kGrace = std::chrono::seconds(10);  // for an agent that is to end, to do so
constexpr int kFrame = 250;                        // ms between two pictures of the swarm

sigset_t heeded() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  return set;
}

}  // namespace

// Threads that are started later do not heed them either.
Processes::Processes() {
  const sigset_t set = heeded();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals_ < 0) throw sim::Error("cannot wait for signals: " + std::system_category().message(errno));
}

Processes::~Processes() {
  const sigset_t set = heeded();
  close(signals_);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Processes::start(const std::vector<std::string>& words) {
  const std::size_t index = members_.size();
  members_.emplace_back();
  running_.push_back(
      {.child = std::make_unique<Child>(
           words, Child::Heard{[this, index](std::string_view line) { hear(index, line); },
                               [this, index](std::string_view line) { members_[index].words = line; }})});
}

void Processes::serve(double duration, const std::function<void()>& now_and_then) {
  duration_ = duration;
  auto shown = start_;
  while (going()) {
    wait();
    for (std::size_t k = 0; k < running_.size(); ++k) look_after(k);
    if (Clock::now() - shown < std::chrono::milliseconds(kFrame)) continue;
    shown = Clock::now();
    screen_.show(members_, seconds());
    now_and_then();
  }
  screen_.clear();
}

double Processes::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

bool Processes::going() const {
  return !std::ranges::all_of(members_, &Member::ended);
}

void Processes::wait() {
  std::vector<pollfd> files{{signals_, POLLIN, 0}};
  for (const Running& running : running_)
    for (const int file : {running.child->output(), running.child->errors()})
      if (file >= 0) files.push_back({file, POLLIN, 0});
  poll(files.data(), files.size(), kFrame);
  signalfd_siginfo info{};
  while (read(signals_, &info, sizeof info) == sizeof info)
    if (info.ssi_signo != SIGCHLD) stop();
}

void Processes::hear(std::size_t index, std::string_view line) {
  Member& member = members_[index];
  const bool before = member.begun;
  member.hear(line);
  if (member.begun && !before && duration_ > 0 && duration_ < 1e8)
    running_[index].due = Clock::now() + kGrace + std::chrono::milliseconds(std::int64_t(duration_ * 1e3));
}

void Processes::stop() {
  for (Running& running : running_) {
    running.child->signal(SIGTERM);
    running.due = Clock::now() + kGrace;
  }
}

// As long as others end, there is hope: all look at the test rows at the same time.
void Processes::look_after(std::size_t index) {
  auto& [child, due] = running_[index];
  Member& member = members_[index];
  child->read();
  if (member.ended) return;
  const auto now = Clock::now();
  if (due && now > *due && now > last_end_ + kGrace) child->signal(SIGKILL);
  if (!child->ended()) return;
  child->read();  // what it said last
  last_end_ = now;
  member.ended = true;
  member.fate = child->fate();
  if (!member.fate.empty()) tell_death(index);
}

void Processes::tell_death(std::size_t index) {
  const Member& member = members_[index];
  std::string_view words = member.words;
  constexpr std::string_view kPrefix = "popsgd: ";
  if (words.starts_with(kPrefix)) words.remove_prefix(kPrefix.size());
  std::string line = "popsgd: agent " + std::to_string(index + 1) + " died, " + member.fate;
  if (!words.empty()) line += ": " + std::string(words);
  screen_.say(line);
}

}  // namespace popsgd::command
