#include "c_api/agent.h"

namespace popsgd::c_api {
namespace {

static_assert(POPSGD_PAGE == Store::kPage && POPSGD_SLOTS == Store::kSlots);

// A store of functions in C. On the stack: a virtual destructor would drag in an allocator.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor)
class CStore final : public Store {
 public:
  explicit CStore(const popsgd_store& store) : store_(store) {}

  [[nodiscard]] std::size_t slot_size() const noexcept override { return store_.slot_size; }
  [[nodiscard]] Status read(unsigned slot, std::size_t offset, std::span<std::byte> into) noexcept override {
    return answer(store_.read(store_.context, slot, offset, into.data(), into.size()));
  }
  [[nodiscard]] Status write(unsigned slot, std::size_t offset,
                             std::span<const std::byte> page) noexcept override {
    return answer(store_.write(store_.context, slot, offset, page.data()));
  }
  [[nodiscard]] Status erase(unsigned slot) noexcept override {
    return answer(store_.erase(store_.context, slot));
  }
  [[nodiscard]] Status sync() noexcept override { return answer(store_.sync(store_.context)); }

 private:
  static Status answer(popsgd_status status) { return static_cast<Status>(status); }

  const popsgd_store& store_;
};

// What use(store) answers, if agent and store are there.
template <typename Use>
popsgd_status with(const popsgd_agent* agent, const popsgd_store* store, Use use) {
  if (agent == nullptr || store == nullptr) return code(Status::null_pointer);
  if (store->read == nullptr || store->write == nullptr || store->erase == nullptr || store->sync == nullptr)
    return code(Status::no_function);
  CStore as_store(*store);
  return code(use(as_store));
}

}  // namespace
}  // namespace popsgd::c_api

uint64_t popsgd_agent_checkpoint_size(const popsgd_agent_config* config, size_t parameters, size_t tensors,
                                      popsgd_numeric numeric) {
  const auto read = popsgd::c_api::read(config);
  if (!read.ok() || numeric > POPSGD_INT8) return 0;
  return popsgd::Agent::checkpoint_size(read.value(), parameters, tensors,
                                        static_cast<popsgd::Numeric>(numeric));
}

popsgd_status popsgd_agent_save(const popsgd_agent* agent, const popsgd_store* store) {
  return popsgd::c_api::with(agent, store,
                             [agent](popsgd::Store& as_store) { return agent->agent.save(as_store); });
}

popsgd_status popsgd_agent_stage(const popsgd_agent* agent, const popsgd_store* store) {
  return popsgd::c_api::with(agent, store,
                             [agent](popsgd::Store& as_store) { return agent->agent.stage(as_store); });
}

void popsgd_agent_saved(const popsgd_agent* agent) {
  if (agent != nullptr) agent->agent.saved();
}

popsgd_status popsgd_agent_restore(popsgd_agent* agent, const popsgd_store* store, popsgd_time now) {
  return popsgd::c_api::with(agent, store, [agent, now](popsgd::Store& as_store) {
    return agent->agent.restore(as_store, popsgd::Time(now));
  });
}
