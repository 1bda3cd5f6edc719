#include "report.h"

#include "device/semihosting.h"

#include <popsgd/crc32c.h>

#include <array>
#include <cstddef>

namespace firmware {
namespace {

namespace semihosting = popsgd::cortex_m::semihosting;

// A line is written at once, so that those of several devices do not mix.
class Line {
 public:
  Line& operator<<(const char* text) {
    while (*text != 0 && size_ + 1 < text_.size()) text_[size_++] = *text++;
    return *this;
  }
  Line& operator<<(std::uint64_t number) {
    std::array<char, 21> digits{};
    std::size_t at = digits.size() - 1;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return *this << digits.data() + at;
  }
  [[nodiscard]] const char* text() const { return text_.data(); }

 private:
  std::array<char, 320> text_{};  // ends with a zero
  std::size_t size_ = 0;
};

}  // namespace

void report(const char* event, std::uint32_t seconds, const Node& node, Pupil& pupil) noexcept {
  const popsgd::AgentMetrics& metrics = node.agent().metrics();
  const std::size_t of_1000 = 5 * pupil.recognised(200);
  Line line;
  line << "{\"event\":\"" << event << "\",\"seconds\":" << seconds << ",\"steps\":" << metrics.steps
       << ",\"accuracy\":" << of_1000 / 1000 << "." << of_1000 / 100 % 10 << of_1000 / 10 % 10 << of_1000 % 10
       << ",\"completed\":" << metrics.completed << ",\"cut_short\":" << metrics.cut_short
       << ",\"bytes_sent\":" << metrics.bytes_sent << ",\"bytes_received\":" << metrics.bytes_received
       << ",\"fresh\":" << (node.agent().fresh() ? "true" : "false") << "}\n";
  semihosting::write(line.text());
}

void report_model(const char* event, const Pupil& pupil) noexcept {
  Line line;
  line << "{\"event\":\"" << event << "\",\"model\":" << popsgd::crc32c(pupil.model()) << "}\n";
  semihosting::write(line.text());
}

}  // namespace firmware
