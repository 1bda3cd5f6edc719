#include "endpoints.h"

#include <string_view>

namespace popsgd::command {

extern const std::string_view live_page;  // live.html, embedded by embed.cmake

namespace {

constexpr const char* kJson = "application/json";

}  // namespace

net::HttpResponse endpoint(const net::HttpRequest& request, const History& history, const Facts& facts,
                           double now, double patience) {
  if (request.path == "/") return {200, "text/html; charset=utf-8", std::string(live_page)};
  if (request.path == "/status") return {200, kJson, status_json(history, facts)};
  if (request.path == "/history") return {200, kJson, history_json(history)};
  if (request.path == "/metrics") {
    return {200, kPrometheusType, prometheus(history.last().value_or(Sample{}), facts)};
  }
  if (request.path == "/health") {
    const Health is = health(history, now, patience);
    return {is.ok ? 200 : 503, net::HttpResponse{}.type, is.text + "\n"};
  }
  return {404, net::HttpResponse{}.type,
          "no such page; there are /, /status, /history, /metrics and /health\n"};
}

}  // namespace popsgd::command
