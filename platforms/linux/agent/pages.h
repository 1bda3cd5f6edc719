// What an agent shows to a browser and to Prometheus.
#pragma once

#include "agent/telemetry.h"

#include <popsgd/asio/http_server.h>

#include <functional>

namespace popsgd::command {

/// / a live page, /status and /history what it draws, /metrics for Prometheus, /health for whoever restarts agents.
class Pages {
 public:
  /// `history`, `facts` and `loop` must outlive it; `now`: seconds on the samples' clock. Throws net::Error.
  Pages(net::Loop& loop, const Address& address, const History& history, const Facts& facts,
        std::function<double()> now);

  [[nodiscard]] Address address() const { return server_.address(); }

 private:
  [[nodiscard]] net::HttpResponse answer(const net::HttpRequest& request) const;

  const History& history_;
  const Facts& facts_;
  std::function<double()> now_;
  net::HttpServer server_;
};

}  // namespace popsgd::command
