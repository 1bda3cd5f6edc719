// A disk in memory, as a file system promises it and no better: what was not synced is kept, lost or torn when power goes,
// each change for itself; a name is durable when its directory is synced; a sync that fails forgets what it should have
// written; any call can fail.
#pragma once

#include "device/files.h"

#include <popsgd/random.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace popsgd::test {

class DiskModel final : public device::Files {
 public:
  using Bytes = std::vector<std::byte>;

  explicit DiskModel(std::uint32_t seed) : random_(seed, Purpose::user) {}

  /// The k-th call from now fails with this error, without effect; those after it do not.
  void fail_at(std::size_t k, int error) { fail_at_ = {calls_ + k, error}; }
  /// Power goes in the k-th call from now, which is carried out or not; nothing is, after it.
  void cut_at(std::size_t k) { cut_at_ = calls_ + k; }
  /// Not more than so many bytes a read or a write.
  void most_at_once(std::size_t bytes) { most_ = bytes; }

  /// The program starts again; power was never lost, so what was not synced is there, and still not durable.
  void restart_program() {
    cut_at_.reset();
    fail_at_.reset();
    off_ = false;
  }
  /// Power comes back. What was open is not, and only what is durable is there.
  void restart_power() {
    open_.clear();
    locked_ = false;
    restart_program();
    settle(*root_);
  }

  [[nodiscard]] std::size_t calls() const { return calls_; }
  [[nodiscard]] std::size_t open_files() const { return open_.size(); }
  /// The names in a directory in the root.
  [[nodiscard]] std::vector<std::string> names(const std::string& directory) const {
    std::vector<std::string> found;
    for (const auto& [name, node] : root_->shown.at(directory)->shown) found.push_back(name);
    return found;
  }

  int make_directory(const std::string& path) noexcept override {
    return call([&]() -> int {
      if (root_->shown.contains(path)) return -EEXIST;
      set(*root_, path, std::make_shared<Node>(Node{.directory = true}));
      return 0;
    });
  }
  int open(int directory, const std::string& name, int flags) noexcept override {
    return call([&]() -> int {
      Node& in = directory == AT_FDCWD ? *root_ : *open_.at(directory);
      if (name == "..") return opened(root_);
      const auto found = in.shown.find(name);
      if (found != in.shown.end()) return (flags & O_EXCL) != 0 ? -EEXIST : opened(found->second);
      if ((flags & O_CREAT) == 0) return -ENOENT;
      const auto made = std::make_shared<Node>();
      set(in, name, made);
      return opened(made);
    });
  }
  void close(int file) noexcept override {
    if (open_.at(file)->directory) locked_ = false;
    open_.erase(file);
  }
  std::int64_t size(int file) noexcept override {
    return call([&]() -> std::int64_t {
      const Node& node = *open_.at(file);
      return node.directory ? -EISDIR : std::ssize(node.bytes);
    });
  }
  int lock(int) noexcept override {
    return call([&] { return std::exchange(locked_, true) ? -EWOULDBLOCK : 0; });
  }
  std::int64_t read(int file, std::uint64_t offset, std::span<std::byte> into) noexcept override {
    return call([&]() -> std::int64_t {
      const Bytes& bytes = open_.at(file)->bytes;
      if (offset >= bytes.size()) return 0;
      const auto count = std::min({into.size(), bytes.size() - static_cast<std::size_t>(offset), most_});
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
      return static_cast<std::int64_t>(count);
    });
  }
  std::int64_t write(int file, std::uint64_t offset, std::span<const std::byte> bytes) noexcept override {
    return call([&]() -> std::int64_t {
      const auto some = bytes.first(std::min(bytes.size(), most_));
      change(*open_.at(file), {static_cast<std::size_t>(offset), Bytes(some.begin(), some.end())});
      return std::ssize(some);
    });
  }
  int allocate(int file, std::uint64_t size) noexcept override {
    return call([&] {
      change(*open_.at(file), {0, Bytes(static_cast<std::size_t>(size))});
      return 0;
    });
  }
  int sync(int file) noexcept override {
    Node& node = *open_.at(file);
    const int result = call([] { return 0; });
    if (node.directory) {
      if (result == 0) persist_names(node);
      return result;
    }
    if (off_) return result;
    for (const Change& pending : node.pending) {
      if (result == 0 || random_.below(2) == 0) apply(node.durable, pending);
    }
    node.pending.clear();  // of a failure, too: the pages are taken for written
    return result;
  }
  int sync_data(int file) noexcept override { return sync(file); }
  int rename(int directory, const std::string& from, const std::string& to) noexcept override {
    return call([&] {
      Node& in = *open_.at(directory);
      const auto node = in.shown.at(from);
      in.shown.erase(from);
      in.shown[to] = node;
      in.renames.push_back({from, to, node});
      return 0;
    });
  }
  int remove(int directory, const std::string& name) noexcept override {
    return call([&]() -> int {
      Node& in = *open_.at(directory);
      if (!in.shown.contains(name)) return -ENOENT;
      set(in, name, nullptr);
      return 0;
    });
  }
  int holder(int) noexcept override { return locked_ ? 4711 : 0; }

 private:
  struct Node;
  struct Change {
    std::size_t offset;
    Bytes bytes;
  };
  struct Rename {  // or, without `from`, a name that comes or goes
    std::string from;
    std::string to;
    std::shared_ptr<Node> node;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  struct Node {
    bool directory = false;
    Bytes bytes{};  // what read() shows
    Bytes durable{};
    std::vector<Change> pending{};  // the way from durable to bytes
    Names shown{};
    Names durable_names{};
    std::vector<Rename> renames{};
  };

  /// Does it, unless this is the call that fails, or power has gone.
  template <typename Do>
  auto call(Do carry_out) -> decltype(carry_out()) {
    using Answer = decltype(carry_out());
    const std::size_t number = calls_++;
    if (off_) return static_cast<Answer>(-EIO);
    if (number == cut_at_) {
      off_ = true;
      if (random_.below(2) == 0) static_cast<void>(carry_out());
      return static_cast<Answer>(-EIO);
    }
    if (fail_at_ && fail_at_->first == number) return static_cast<Answer>(-fail_at_->second);
    return carry_out();
  }

  int opened(const std::shared_ptr<Node>& node) {
    open_[++last_file_] = node;
    return last_file_;
  }
  static void apply(Bytes& to, const Change& change) {
    to.resize(std::max(to.size(), change.offset + change.bytes.size()));
    std::ranges::copy(change.bytes, to.begin() + static_cast<std::ptrdiff_t>(change.offset));
  }
  static void change(Node& node, Change change) {
    apply(node.bytes, change);
    node.pending.push_back(std::move(change));
  }
  static void set(Node& in, const std::string& name, std::shared_ptr<Node> node) {
    if (node) in.shown[name] = node;
    if (!node) in.shown.erase(name);
    in.renames.push_back({{}, name, std::move(node)});
  }
  static void apply(Names& to, const Rename& rename) {
    if (!rename.from.empty()) to.erase(rename.from);
    if (rename.node) to[rename.to] = rename.node;
    if (!rename.node) to.erase(rename.to);
  }
  static void persist_names(Node& node) {
    for (const Rename& rename : node.renames) apply(node.durable_names, rename);
    node.renames.clear();
  }

  /// A node as it is after the loss of power, and all that is in it.
  void settle(Node& node) {
    for (Change& change : node.pending) {
      const std::uint32_t fate = random_.below(4);
      if (fate == 0) continue;
      if (fate == 1) change.bytes.resize(random_.below(static_cast<std::uint32_t>(change.bytes.size() + 1)));
      apply(node.durable, change);
    }
    node.pending.clear();
    node.bytes = node.durable;
    for (const Rename& rename : node.renames) {
      if (random_.below(2) == 0) apply(node.durable_names, rename);
    }
    node.renames.clear();
    node.shown = node.durable_names;
    for (auto& [name, child] : node.shown) settle(*child);
  }

  Random random_;
  std::shared_ptr<Node> root_ = std::make_shared<Node>(Node{.directory = true});
  std::map<int, std::shared_ptr<Node>> open_;
  int last_file_ = 2;
  bool locked_ = false;
  bool off_ = false;
  std::size_t calls_ = 0;
  std::size_t most_ = ~std::size_t{0};
  std::optional<std::size_t> cut_at_;
  std::optional<std::pair<std::size_t, int>> fail_at_;
};

}  // namespace popsgd::test
