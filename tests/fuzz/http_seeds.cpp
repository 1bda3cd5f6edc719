// Writes requests to the web server, one a file: where the fuzzer begins.
//   popsgd_http_seeds FOLDER
#include "seeds.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  return popsgd::test::write_seeds(argc, argv, [](const popsgd::test::WriteSeed& write) {
    int k = 0;
    for (const std::string_view request : {
             "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "HEAD /status?a=b HTTP/1.0\r\n\r\n",
             "GET /metrics HTTP/1.1\r\nhost: [::1]:9090\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
         }) {
      if (!write("request" + std::to_string(k++), std::as_bytes(std::span(request)))) return false;
    }
    return true;
  });
}
