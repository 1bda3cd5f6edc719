// Which links of the topology are open, and when they open and close.
#pragma once

#include <popsgd/sim/network.h>
#include <popsgd/sim/topology.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace popsgd::sim {

/// A link that opens or closes.
struct ContactChange {
  Edge link;
  bool opens;
};

/// The state of every link of a topology, by a process that is a function of settings and seed. Times are
/// microseconds; memory is 8 bytes a link, and what the process takes.
class Contacts {
 public:
  Contacts(const Contacts&) = delete;
  Contacts& operator=(const Contacts&) = delete;
  virtual ~Contacts() = default;

  /// False also for agents the topology does not join.
  [[nodiscard]] bool open(std::uint32_t a, std::uint32_t b) const;

  /// Whether what was put on the link at `sent` arrives now: it has been open ever since.
  [[nodiscard]] bool unbroken(std::uint32_t a, std::uint32_t b, std::uint64_t sent) const;

  /// When the next links may change; never before the last change.
  [[nodiscard]] std::uint64_t next() const { return next_; }

  /// Makes the change due at next(). Returns the links that changed, each once; valid until the next call.
  std::span<const ContactChange> advance();

  /// How long two agents may well wait for each other: longer only with a chance of some e^-20. At most 10^12.
  [[nodiscard]] virtual std::uint64_t longest_quiet() const = 0;

 protected:
  /// `open`: all links, at time 0. `topology` must outlive the contacts.
  Contacts(const Topology& topology, bool open);

  /// To be called while contacts are made and from change(), and only for what changes.
  void set(Edge link, bool opens);
  void first_change_at(std::uint64_t at) { next_ = at; }
  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] bool joined(Edge link) const { return index(link) < since_.size(); }

 private:
  /// Sets the links that change now; returns when the next do.
  virtual std::uint64_t change(std::uint64_t now) = 0;
  /// Of the link among all in increasing order; since_.size() for none.
  [[nodiscard]] std::size_t index(Edge link) const;

  const Topology& topology_;
  std::vector<std::uint64_t> since_;  // when each link was opened
  std::vector<ContactChange> changes_{};
  std::uint64_t now_ = 0;
  std::uint64_t next_ = 0;
};

/// Null for links that are always open. Throws Error for settings that do not fit the number of agents.
[[nodiscard]] std::unique_ptr<Contacts> make_contacts(const ContactSettings& settings,
                                                      const Topology& topology, std::uint64_t seed);

}  // namespace popsgd::sim
