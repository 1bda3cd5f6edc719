#include "process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mixed_swarm {
namespace {

[[noreturn]] void become(const Command& command, int output) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  for (const auto& [name, value] : command.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  if (chdir(command.directory.c_str()) == 0) execvp(words[0], words.data());
  dprintf(STDOUT_FILENO, "%s cannot be run: %s\n", words[0], std::system_category().message(errno).c_str());
  _exit(127);
}

}  // namespace

Process::Process(const Command& command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::system_category(), "pipe");
  id_ = fork();
  if (id_ < 0) throw std::system_error(errno, std::system_category(), "fork");
  if (id_ == 0) become(command, ends[1]);
  close(ends[1]);
  output_ = ends[0];
  fcntl(output_, F_SETFL, O_NONBLOCK);
}

Process::~Process() {
  if (id_ > 0) kill(id_, SIGTERM);
  end();
  if (output_ >= 0) close(output_);
}

std::vector<std::string> Process::lines() {
  char bytes[4096];
  ssize_t count = 0;
  while (output_ >= 0 && (count = read(output_, bytes, sizeof bytes)) > 0)
    begun_.append(bytes, static_cast<std::size_t>(count));
  if (output_ >= 0 && count == 0) {
    close(output_);
    output_ = -1;
  }
  std::vector<std::string> lines;
  for (std::size_t end = 0; (end = begun_.find('\n')) != std::string::npos; begun_.erase(0, end + 1))
    lines.push_back(begun_.substr(0, end));
  return lines;
}

int Process::end() {
  if (id_ <= 0) return 0;
  int status = 0;
  while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  id_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace mixed_swarm
