#include "swarm/child.h"

#include <popsgd/sim/error.h>

#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace popsgd::command {
namespace {

[[noreturn]] void fail(const char* what) {
  throw sim::Error(std::string("cannot start an agent: ") + what + ": " +
                   std::system_category().message(errno));
}

// In the child, between fork() and exec(): only calls that a signal handler might make. A parent that has died before
// prctl() leaves the child to another one.
[[noreturn]] void become(char* const* words, pid_t parent, int output, int errors) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && dup2(nothing, STDIN_FILENO) >= 0 &&
      dup2(output, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0)
    execv("/proc/self/exe", words);
  _exit(127);
}

}  // namespace

void Lines::add(std::string_view bytes, const Line& line) {
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    begun_ += bytes.substr(0, end);
    if (!dropping_ && begun_.size() <= kLongest) line(begun_);
    begun_.clear();
    dropping_ = false;
    bytes.remove_prefix(end + 1);
  }
  begun_ += bytes;
  if (begun_.size() <= kLongest) return;
  begun_.clear();
  dropping_ = true;
}

Child::Child(const std::vector<std::string>& words, Heard heard) {
  std::vector<char*> list;
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  std::array<int, 2> ends{};
  std::array<int, 2> theirs{-1, -1};
  for (std::size_t k = 0; k < 2; ++k) {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
    pipes_[k].file = ends[0];
    theirs[k] = ends[1];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  pipes_[0].heard = std::move(heard.output);
  pipes_[1].heard = std::move(heard.errors);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(list.data(), parent, theirs[0], theirs[1]);
  for (const int file : theirs) close(file);
  if (pid_ < 0) fail("fork");
}

Child::~Child() {
  if (pid_ > 0 && !ended_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
  }
  for (const Pipe& pipe : pipes_)
    if (pipe.file >= 0) close(pipe.file);
}

void Child::read() {
  for (Pipe& pipe : pipes_) read(pipe);
}

void Child::read(Pipe& pipe) {
  std::array<char, 16384> bytes;
  while (pipe.file >= 0) {
    const ssize_t count = ::read(pipe.file, bytes.data(), bytes.size());
    if (count > 0) {
      pipe.lines.add({bytes.data(), static_cast<std::size_t>(count)}, pipe.heard);
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      if (count < 0 && errno == EAGAIN) return;
      close(pipe.file);
      pipe.file = -1;
    }
  }
}

bool Child::ended() {
  if (!ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return ended_;
}

void Child::signal(int number) const {
  if (!ended_) kill(pid_, number);
}

std::string Child::fate() const {
  if (WIFSIGNALED(status_)) return "killed by signal " + std::to_string(WTERMSIG(status_));
  const int status = WEXITSTATUS(status_);
  return status == 0 ? std::string() : "exit status " + std::to_string(status);
}

}  // namespace popsgd::command
