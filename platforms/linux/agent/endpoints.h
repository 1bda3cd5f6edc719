// What an agent serves over HTTP: /, /status, /history, /metrics and /health.
#pragma once

#include "telemetry.h"

#include <popsgd/asio/http_server.h>

namespace popsgd::command {

/// The answer to a request; now: on the samples' clock; patience: see health().
///
///     net::HttpServer server(loop, address, [&](const net::HttpRequest& request) {
///       return endpoint(request, history, facts, seconds_since_start(), 30);
///     });
[[nodiscard]] net::HttpResponse endpoint(const net::HttpRequest& request, const History& history,
                                         const Facts& facts, double now, double patience);

}  // namespace popsgd::command
