#include "endpoints.h"

#include <charconv>
#include <limits>
#include <string_view>

namespace popsgd::command {

extern const std::string_view live_page;  // live.html, embedded by embed.cmake

namespace {

constexpr const char* kJson = "application/json";

// Of "after=SECONDS", which asks for what is newer; all of it when the query is anything else.
double after(std::string_view query) {
  constexpr std::string_view key = "after=";
  double seconds = 0;
  if (!query.starts_with(key)) return -std::numeric_limits<double>::infinity();
  const char* end = query.data() + query.size();
  const auto [stop, error] = std::from_chars(query.data() + key.size(), end, seconds);
  return error == std::errc() && stop == end ? seconds : -std::numeric_limits<double>::infinity();
}

}  // namespace

net::HttpResponse endpoint(const net::HttpRequest& request, const History& history, const Facts& facts,
                           double now, double patience) {
  if (request.path == "/") return {200, "text/html; charset=utf-8", std::string(live_page)};
  if (request.path == "/status") return {200, kJson, status_json(history, facts)};
  if (request.path == "/history") return {200, kJson, history_json(history, after(request.query))};
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
