#include "c_api/privacy.h"

#include "c_api/pointers.h"

#include <memory>
#include <type_traits>

using popsgd::Privacy;
using popsgd::Status;
using popsgd::c_api::code;

static_assert(alignof(popsgd_privacy) <= 8 && std::is_trivially_destructible_v<popsgd_privacy>);

void popsgd_privacy_settings_init(popsgd_privacy_settings* settings) {
  if (settings == nullptr) return;
  const Privacy::Settings from;
  *settings = {from.clip, from.noise, from.epsilon, from.delta, from.ahead};
}

size_t popsgd_privacy_size() {
  return sizeof(popsgd_privacy);
}

popsgd_status popsgd_privacy_init(popsgd_privacy** privacy, const popsgd_privacy_settings* settings,
                                  const popsgd_entropy* entropy, void* memory, size_t size) {
  if (privacy == nullptr) return code(Status::null_pointer);
  *privacy = nullptr;
  if (settings == nullptr || entropy == nullptr || memory == nullptr) return code(Status::null_pointer);
  if (entropy->fill == nullptr) return code(Status::no_function);
  if (size < sizeof(popsgd_privacy) || !popsgd::c_api::aligned(memory, 8))
    return code(Status::scratch_too_small);
  const Privacy::Settings read{.clip = settings->clip,
                               .noise = settings->noise,
                               .epsilon = settings->epsilon,
                               .delta = settings->delta,
                               .ahead = settings->ahead};
  auto* made = std::construct_at(static_cast<popsgd_privacy*>(memory), read, *entropy);
  const Status status = made->privacy.check();
  if (status == Status::ok) *privacy = made;
  return code(status);
}

double popsgd_privacy_epsilon(const popsgd_privacy* privacy) {
  return privacy == nullptr ? 0 : privacy->privacy.epsilon();
}

double popsgd_privacy_left(const popsgd_privacy* privacy) {
  return privacy == nullptr ? 0 : privacy->privacy.left();
}

bool popsgd_privacy_wants_save(const popsgd_privacy* privacy) {
  return privacy != nullptr && privacy->privacy.wants_save();
}

uint64_t popsgd_privacy_releases(const popsgd_privacy* privacy) {
  return privacy == nullptr ? 0 : privacy->privacy.releases();
}

uint64_t popsgd_privacy_withheld(const popsgd_privacy* privacy) {
  return privacy == nullptr ? 0 : privacy->privacy.withheld();
}

void popsgd_privacy_close(popsgd_privacy* privacy) {
  if (privacy != nullptr) privacy->privacy.close();
}

double popsgd_epsilon_after(double releases, float noise, double delta) {
  return popsgd::accountant::epsilon_after(releases, noise, delta);
}
