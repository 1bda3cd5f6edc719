#include "agent/pages.h"

#include <utility>

namespace popsgd::command {

extern const std::string_view live_page;  // agent/live.html, embedded by the build

namespace {

constexpr const char* kJson = "application/json";
constexpr double kPatience = 10;  // seconds without a sample: one is taken each second

}  // namespace

Pages::Pages(net::Loop& loop, const Address& address, const History& history, const Facts& facts,
             std::function<double()> now)
    : history_(history),
      facts_(facts),
      now_(std::move(now)),
      server_(loop, address, [this](const net::HttpRequest& request) { return answer(request); }) {}

net::HttpResponse Pages::answer(const net::HttpRequest& request) const {
  if (request.path == "/") return {200, "text/html; charset=utf-8", std::string(live_page)};
  if (request.path == "/status") return {200, kJson, status_json(history_, facts_)};
  if (request.path == "/history") return {200, kJson, history_json(history_)};
  if (request.path == "/metrics") return {200, kPrometheusType, prometheus(*history_.last(), facts_)};
  if (request.path == "/health") {
    const Health health = command::health(history_, now_(), kPatience);
    return {health.ok ? 200 : 503, "text/plain; charset=utf-8", health.text + '\n'};
  }
  return {404, "text/plain; charset=utf-8", "there are /, /status, /history, /metrics and /health\n"};
}

}  // namespace popsgd::command
