// The network engine: devices' own agents in virtual time, over links that lose, double, delay and damage frames.
#pragma once

#include <popsgd/agent.h>
#include <popsgd/privacy.h>
#include <popsgd/sim/algorithm.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace popsgd::sim {

/// What every directed link does to the frames on it. Rates are probabilities a frame, from 0 to 0.9.
struct LinkSettings {
  double loss = 0;
  double duplicate = 0;  ///< a second copy is sent behind the first
  double corrupt = 0;    ///< a random bit is flipped
  double truncate = 0;   ///< cut off at a random length
  double sever =
      0;  ///< an exchange: the link dies when the initiator has decided, until its partner gives up
  double delay_ms = 10;    ///< 0 to 60,000
  double jitter_ms = 0;    ///< 0 to 60,000; uniform, of each frame its own: frames overtake one another
  double bandwidth = 0;    ///< bits a second; frames queue for it; 0: infinite
  std::size_t mtu = 1200;  ///< bytes of the largest frame, 256 to 65,535
  bool reliable = false;   ///< a stream: in order, with none of the first four faults
};

/// From KEY=VALUE[,KEY=VALUE...], with the keys loss, duplicate, corrupt, truncate, sever, delay, jitter, bandwidth, mtu
/// and reliable (0 or 1); empty: the defaults. Throws Error for an unknown key or a value out of range.
[[nodiscard]] LinkSettings parse_links(std::string_view text);

/// Which links of the topology are open, and when. A closed link carries nothing, and what is under way on it when it
/// closes is lost; both ends know when it opens and closes. Times are virtual seconds from 0.01 to 10^6.
struct AlwaysOpen {};

/// Every so often the agents fall apart into groups drawn at random, of sizes as equal as can be, and only members
/// of one group hear each other; first after `every_s`.
struct SplitContacts {
  std::uint32_t parts = 2;  ///< groups, 2 to the number of agents
  double every_s = 60;      ///< from the beginning of one split to that of the next
  double lasting_s = 20;    ///< of those, below `every_s`
};

/// Each link opens and closes by itself, memoryless, and begins in its stationary state: open with probability
/// up / (up + down).
struct OnOffContacts {
  double up_s = 30;  ///< mean time open
  double down_s = 30;
};

/// Two agents hear each other while they are near, looked at once a second. Random waypoint mobility on the unit torus;
/// near is the radius r = sqrt(degree / (pi (agents - 1))), at most 1/2.
struct MobileContacts {
  double degree = 4;    ///< others in reach on average, were the topology complete; from 0.001
  double speed = 0.01;  ///< sides of the torus a second, 0 to 1
};

using ContactSettings = std::variant<AlwaysOpen, SplitContacts, OnOffContacts, MobileContacts>;

/// From always, split:parts=2,every=60,lasting=20, on-off:up=30,down=30 or mobile:degree=4,speed=0.01; an option left out
/// has the value here. Throws Error for an unknown name or option and for a value out of range.
[[nodiscard]] ContactSettings parse_contacts(std::string_view text);

/// How a Byzantine agent lies. The first six are about its model, written anew before each of its exchanges; the others
/// are about the protocol.
enum class Lie : std::uint8_t {
  nan,         ///< not a number, everywhere
  huge,        ///< 1e30 everywhere
  random,      ///< normal numbers, as large as those of an honest agent
  sign_flip,   ///< minus the present model of an honest agent
  frozen,      ///< the initial model for ever
  drift,       ///< averages as it should, and adds a small constant to every parameter each time
  replay,      ///< with each of its frames goes an old one, that it has sent or received, to a random peer
  slow_loris,  ///< a frame every 9 seconds, just before partners lose their patience
  busy,        ///< answers every offer with BUSY
  malformed,   ///< flips bits of its frames and changes their length; their checksums are right
};
inline constexpr std::size_t kLies = 10;

/// Its word on the command line, e.g. "sign-flip".
[[nodiscard]] std::string_view text(Lie kind) noexcept;

/// Agents that want harm: each runs the same Agent as all others but in floats, whatever Settings::numerics
/// says, and without its guard, takes no steps, and lies.
struct ByzantineSettings {
  Lie kind = Lie::nan;
  double fraction = 0;  ///< of the agents, at least 0 and below 1/2
};

/// From KIND:FRACTION, e.g. sign-flip:0.1; empty: none. Throws Error for an unknown kind or a fraction out of range.
[[nodiscard]] ByzantineSettings parse_byzantine(std::string_view text);

/// Power failures, of honest agents. An agent that starts again has another seed, and goes on from its last checkpoint,
/// or from the initial model, ready to adopt its first partner's.
struct CrashSettings {
  double rate = 0;     ///< probability that power fails, each time the agent is called; 0 to 0.5
  double down_s = 10;  ///< until it is back: half of it to one and a half, uniform; 0.01 to 86,400
  double save_s = 60;  ///< between two checkpoints, 0.01 to 86,400; 0: it makes none
};

/// From KEY=VALUE[,KEY=VALUE...] with the keys rate, down and save; empty: none. Throws Error for an unknown key or a
/// value out of range.
[[nodiscard]] CrashSettings parse_crashes(std::string_view text);

/// What the network engine needs to know besides Settings.
struct NetworkSettings {
  LinkSettings link{};
  ContactSettings contacts{};
  ByzantineSettings byzantine{};
  CrashSettings crash{};
  std::uint32_t mean_wait_ms = 1000;  ///< between two offers of an agent of speed 1
  std::uint32_t block_length = 0;     ///< parameters; 0: the whole model in one block
  Timing timing{};                    ///< of the agents
  std::optional<Privacy::Settings>
      privacy{};     ///< of honest agents, each with a budget of its own; a crash is no way out of it
  bool gate = true;  ///< agents refuse partners much further away than others
  bool check_invariants = false;  ///< after every event
};

/// What became of frames and exchanges, over all honest agents: what a Byzantine one says of itself counts for nothing.
struct NetworkTotals {
  double virtual_seconds = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_delivered = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t completed = 0;       ///< exchanges complete at their initiator
  std::uint64_t with_byzantine = 0;  ///< of those: with a Byzantine responder
  std::uint64_t one_sided =
      0;  ///< blocks applied by the initiator and not, or not yet, by the responder; both honest
  std::uint64_t begun = 0;  ///< from here on a side counts for itself: an exchange has two
  std::uint64_t completed_sides = 0;
  std::uint64_t cut_short = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t retries = 0;    ///< attempts at a block that had been read wrong
  std::uint64_t saturated = 0;  ///< integers that stopped at their type's range in averaging
  std::uint64_t retransmissions = 0;
  std::array<std::uint64_t, kDrops> dropped{};
  std::array<std::uint64_t, kRefusals> refused{};
  std::uint32_t settled = 0;   ///< agents that average without stepping now
  std::uint64_t releases = 0;  ///< blocks that left with noise
  std::uint64_t withheld = 0;  ///< exchanges that the privacy budget did not admit
  double epsilon = 0;          ///< spent, by who has spent most
  std::uint64_t crashes = 0;
  std::uint64_t restored = 0;     ///< restarts from a checkpoint
  std::uint64_t violations = 0;   ///< of the invariants, when they are checked
  std::string first_violation{};  ///< in words, empty when there is none
  std::uint32_t byzantine = 0;    ///< agents
  Lie lie = Lie::nan;             ///< how they lie, if there are any
};

/// PopSGD by message passing. An interaction is an exchange that its initiator has completed; its parallel time is
/// local steps an agent, its bytes are those of all frames sent. With Byzantine agents all this is of the honest ones
/// alone, and so are models() and model(): what is measured of them. Single-threaded.
class NetworkAlgorithm : public Algorithm {
 public:
  /// Goes on for so long, whatever happens.
  virtual void run_for(std::uint64_t milliseconds) = 0;
  [[nodiscard]] virtual NetworkTotals totals() const = 0;
};

/// All that is passed by reference must outlive the result, but for `network`. Throws Error for settings the engine
/// cannot honour: what integers cannot do, a random number of local steps or more than 65,535 of them, Byzantine agents among fewer than
/// three, a complete graph of more than 4096 agents, agents with more than 65,535 neighbours, waiting times out of
/// range, privacy of integers, contacts that do not fit the number of agents. run_until() throws Error when links or contacts are so bad
/// that no exchange completes any more.
[[nodiscard]] std::unique_ptr<NetworkAlgorithm> make_network(const Problem& problem, const Settings& settings,
                                                             const Topology& topology, const Shards& shards,
                                                             const NetworkSettings& network);

}  // namespace popsgd::sim
