#include "key/qr_code.h"

#include <popsgd/sim/error.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include <qrencode.h>

namespace popsgd::command {
namespace {

constexpr int kQuiet = 4;  // light modules around it (ISO/IEC 18004, 5.3.8)

struct Release {
  void operator()(QRcode* code) const {
    ::explicit_bzero(code->data,
                     static_cast<std::size_t>(code->width) * static_cast<std::size_t>(code->width));
    QRcode_free(code);
  }
};
using Code = std::unique_ptr<QRcode, Release>;

bool light(const QRcode& code, int x, int y) {
  if (x < 0 || y < 0 || x >= code.width || y >= code.width) return true;
  return (code.data[y * code.width + x] & 1) == 0;
}

}  // namespace

void print_qr_code(std::string_view text, bool terminal) {
  std::string copy(text);  // that ends with a 0
  const Code code(QRcode_encodeString(copy.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1));
  ::explicit_bzero(copy.data(), copy.size());
  if (code == nullptr) throw sim::Error(std::string("no QR code can be drawn: ") + std::strerror(errno));
  for (int y = -kQuiet; y < code->width + kQuiet; y += 2) {
    if (terminal) std::fputs("\033[40;97m", stdout);
    for (int x = -kQuiet; x < code->width + kQuiet; ++x) {
      const bool upper = light(*code, x, y);
      const bool lower = light(*code, x, y + 1);
      std::fputs(upper ? lower ? "█" : "▀" : lower ? "▄" : " ", stdout);
    }
    std::fputs(terminal ? "\033[0m\n" : "\n", stdout);
  }
}

}  // namespace popsgd::command
