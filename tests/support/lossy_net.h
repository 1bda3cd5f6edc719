// Agents in virtual time over links that lose, double, delay, reorder, truncate and corrupt.
#pragma once

#include <popsgd/agent.h>
#include <popsgd/random.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace popsgd::test {

struct Faults {
  float lose = 0;
  float twice = 0;
  float corrupt = 0;   ///< flip a random bit
  float truncate = 0;  ///< cut at a random length
  std::uint32_t delay_ms = 1;
  std::uint32_t jitter_ms = 0;  ///< each frame has its own: frames overtake one another
};

/// An agent with its memory: a model without a gradient, but for a drift.
class Device {
 public:
  Device(const AgentConfig& config, std::vector<float> model, Time now)
      : x(std::move(model)), workspace_((Agent::workspace_size(config, x.size()) + 7) / 8) {
    status = agent.init(config, x, drifting(x.size()), source(), {}, {},
                        std::as_writable_bytes(std::span(workspace_)), now);
  }
  /// A model of any kind, from values in real units.
  Device(const AgentConfig& config, Numeric kind, std::vector<Tensor> tensors,
         const std::vector<float>& values, Time now)
      : numeric(kind),
        layout(std::move(tensors)),
        workspace_(
            (Agent::workspace_size(config, values.size(), std::max<std::size_t>(1, layout.size()), kind) +
             7) /
            8) {
    x = values;
    const auto bytes = std::as_writable_bytes(std::span(workspace_));
    if (numeric == Numeric::float32) {
      status = agent.init(config, Model(x, layout), drifting(x.size()), source(), {}, {}, bytes, now);
      return;
    }
    set(values);
    const FixedBatchSource none{
        [](void* batch) noexcept -> const FixedBatch& { return *static_cast<FixedBatch*>(batch); },
        &fixed_batch_};
    if (numeric == Numeric::int16)
      status = agent.init(config, int16s, layout, drifting<std::int16_t>(x.size()), none, {}, {}, bytes, now);
    else
      status = agent.init(config, int8s, layout, drifting<std::int8_t>(x.size()), none, {}, {}, bytes, now);
  }
  Device(const Device&) = delete;

  /// A parameter in real units.
  [[nodiscard]] double value(std::size_t k) const {
    if (numeric == Numeric::float32) return static_cast<double>(x[k]);
    return std::ldexp(static_cast<double>(units(k)), -fraction(k));
  }
  /// In units of its tensor.
  [[nodiscard]] std::int32_t units(std::size_t k) const {
    return numeric == Numeric::int16 ? int16s[k] : int8s[k];
  }
  [[nodiscard]] int fraction(std::size_t k) const {
    for (const Tensor& tensor : layout) {
      if (k < tensor.length) return tensor.fraction;
      k -= tensor.length;
    }
    return 0;
  }
  /// The model becomes the nearest there is to these values.
  void set(const std::vector<float>& values) {
    x = values;
    const auto nearest = [this, &values](std::size_t k, double most) {
      const double unit = std::round(std::ldexp(static_cast<double>(values[k]), fraction(k)));
      return std::clamp(unit, -most - 1, most);
    };
    int16s.resize(numeric == Numeric::int16 ? values.size() : 0);
    int8s.resize(numeric == Numeric::int8 ? values.size() : 0);
    for (std::size_t k = 0; k < int16s.size(); ++k) int16s[k] = static_cast<std::int16_t>(nearest(k, 32767));
    for (std::size_t k = 0; k < int8s.size(); ++k) int8s[k] = static_cast<std::int8_t>(nearest(k, 127));
  }

  Numeric numeric = Numeric::float32;
  std::vector<Tensor> layout{};
  std::vector<float> x;  // of a float model
  std::vector<std::int16_t> int16s{};
  std::vector<std::int8_t> int8s{};
  int drift = 0;  // units that every parameter moves by at a step; of a float model, whole ones
  Agent agent;
  Status status = Status::ok;

 private:
  Gradient drifting(std::size_t parameters) {
    const auto function = [](const void* units, ConstParams, const Batch&, float, float, Params model,
                             Scratch) noexcept {
      for (float& value : model) value += static_cast<float>(*static_cast<const int*>(units));
      return 0.0F;
    };
    return {.function = function, .context = &drift, .parameters = parameters, .in_place = true};
  }
  template <typename Weight>
  FixedGradient<Weight> drifting(std::size_t parameters) {
    const auto function = [](const void* units, std::span<Weight> weights, const FixedBatch&, FixedRate,
                             Random&, std::span<std::int32_t>, std::uint64_t&) noexcept {
      for (Weight& w : weights) w = static_cast<Weight>(w + *static_cast<const int*>(units));
      return std::int32_t{0};
    };
    return {.function = function, .context = &drift, .parameters = parameters};
  }
  BatchSource source() {
    return {[](void* batch) noexcept -> const Batch& { return *static_cast<Batch*>(batch); }, &batch_};
  }

  Batch batch_{};
  FixedBatch fixed_batch_{};
  std::vector<std::uint64_t> workspace_;
};

class LossyNet {
 public:
  LossyNet(std::uint64_t seed, Faults faults) : random_(seed, Purpose::user), faults_(faults) {}

  /// The device's number is its PeerId for the others.
  Device& add(const AgentConfig& config, std::vector<float> model) {
    devices_.push_back(std::make_unique<Device>(config, std::move(model), now));
    return *devices_.back();
  }
  Device& add(const AgentConfig& config, Numeric numeric, const std::vector<Tensor>& layout,
              const std::vector<float>& values) {
    devices_.push_back(std::make_unique<Device>(config, numeric, layout, values, now));
    return *devices_.back();
  }
  /// Power fails at one device and comes back: it starts anew with this model. The frames on their way arrive.
  Device& restart(std::size_t k, const AgentConfig& config, std::vector<float> model) {
    devices_[k] = std::make_unique<Device>(config, std::move(model), now);
    connect();
    return *devices_[k];
  }
  Device& restart(std::size_t k, Numeric numeric, const AgentConfig& config,
                  const std::vector<float>& values) {
    const std::vector<Tensor> layout = devices_[k]->layout;
    devices_[k] = std::make_unique<Device>(config, numeric, layout, values, now);
    connect();
    return *devices_[k];
  }
  /// Everybody knows everybody.
  void connect(LinkTraits traits = {}) {
    for (std::size_t a = 0; a < devices_.size(); ++a) {
      for (std::size_t b = 0; b < devices_.size(); ++b) {
        if (a != b)
          static_cast<void>(devices_[a]->agent.add_peer(PeerId{static_cast<std::uint32_t>(b)}, traits));
      }
    }
  }

  Device& operator[](std::size_t k) { return *devices_[k]; }
  const Device& operator[](std::size_t k) const { return *devices_[k]; }
  [[nodiscard]] std::size_t size() const { return devices_.size(); }
  Faults& faults() { return faults_; }

  /// Everything that happens until `end` or until nobody is in an exchange and no frame is on its way.
  void run(Time end, bool until_quiet = false) {
    drain_all();
    while (true) {
      const Time next = next_event();
      if (next.since(end) > 0 || (until_quiet && quiet())) break;
      now = next.since(now) > 0 ? next : now;
      deliver_due();
      drain_all();
      if (watch) watch();
    }
  }
  [[nodiscard]] bool quiet() const {
    return flying_.empty() &&
           std::ranges::none_of(devices_, [](const auto& device) { return device->agent.exchanging(); });
  }

  Time now{0xFFFFF000U};  // wraps around soon
  std::uint64_t delivered = 0;
  std::function<void()> watch{};               ///< after every event
  std::function<bool(PeerId from)> lose_if{};  ///< frames of its own choice

 private:
  struct Flight {
    Time at;
    std::uint64_t order;
    PeerId from, to;
    std::vector<std::uint64_t> words;
    std::size_t size;
  };

  Time next_event() {
    Time next = now + 1000000;
    for (const Flight& flight : flying_) next = earlier(next, flight.at);
    for (const auto& device : devices_) next = earlier(next, device->agent.deadline(now));
    return next;
  }

  void deliver_due() {
    std::vector<Flight> due;
    std::erase_if(flying_, [&](Flight& flight) {
      if (!flight.at.reached(now)) return false;
      due.push_back(std::move(flight));
      return true;
    });
    std::ranges::sort(due, [](const Flight& a, const Flight& b) {
      const std::int32_t later = a.at.since(b.at);
      return later == 0 ? a.order < b.order : later < 0;
    });
    for (const Flight& flight : due) {
      devices_[static_cast<std::uint32_t>(flight.to)]->agent.receive(
          flight.from, std::as_bytes(std::span(flight.words)).first(flight.size), now);
      ++delivered;
    }
  }

  void drain_all() {
    for (std::uint32_t k = 0; k < devices_.size(); ++k) drain(PeerId{k});
  }
  void drain(PeerId from) {
    const auto bytes = std::as_writable_bytes(std::span(buffer_));
    while (const auto out = devices_[static_cast<std::uint32_t>(from)]->agent.send(bytes, now)) {
      const int copies = random_.uniform() < faults_.twice ? 2 : 1;
      for (int copy = 0; copy < copies; ++copy) launch(from, out->to, bytes.first(out->size));
    }
  }
  void launch(PeerId from, PeerId to, std::span<const std::byte> frame) {
    if (random_.uniform() < faults_.lose || (lose_if && lose_if(from))) return;
    const std::uint32_t jitter = faults_.jitter_ms == 0 ? 0 : random_.bits() % (faults_.jitter_ms + 1);
    Flight flight{now + faults_.delay_ms + jitter,
                  order_++,
                  from,
                  to,
                  std::vector<std::uint64_t>(frame.size() / 8 + 1),
                  frame.size()};
    std::memcpy(flight.words.data(), frame.data(), frame.size());
    if (random_.uniform() < faults_.corrupt) {
      const std::size_t bit = random_.bits() % (frame.size() * 8);
      reinterpret_cast<unsigned char*>(flight.words.data())[bit / 8] ^=
          static_cast<unsigned char>(1U << bit % 8);
    }
    if (random_.uniform() < faults_.truncate) flight.size = random_.bits() % frame.size();
    flying_.push_back(std::move(flight));
  }

  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<Flight> flying_;
  std::vector<std::uint64_t> buffer_ = std::vector<std::uint64_t>(8192);  // the longest frame
  Random random_;
  Faults faults_;
  std::uint64_t order_ = 0;
};

}  // namespace popsgd::test
