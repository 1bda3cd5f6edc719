#include "chart.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace mixed_swarm {
namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 480;
constexpr double kLeft = 60;
constexpr double kRight = 150;
constexpr double kTop = 40;
constexpr double kBottom = 50;
constexpr std::array<const char*, 4> kColours{"#0072b2", "#009e73", "#d55e00", "#cc79a7"};  // Okabe and Ito

struct Scale {
  double longest;
  [[nodiscard]] double x(double seconds) const {
    return kLeft + (kWidth - kLeft - kRight) * seconds / longest;
  }
  [[nodiscard]] static double y(double accuracy) {
    return kHeight - kBottom - (kHeight - kTop - kBottom) * accuracy;
  }
};

void text(std::ostream& out, double x, double y, const std::string& words, const char* more = "") {
  out << "<text x='" << x << "' y='" << y << "' " << more << ">" << words << "</text>\n";
}

void axes(std::ostream& out, const Scale& scale) {
  text(out, kLeft, 22, "Accuracy on digits of all classes, by node; each sees two or three classes",
       "font-weight='bold'");
  for (int tenths = 0; tenths <= 10; tenths += 2) {
    const double y = Scale::y(tenths / 10.0);
    out << "<path d='M" << kLeft << " " << y << "H" << kWidth - kRight << "' stroke='#ddd'/>\n";
    text(out, kLeft - 8, y + 4, std::to_string(10 * tenths) + " %", "text-anchor='end'");
  }
  for (int seconds = 0; seconds <= scale.longest; seconds += 10)
    text(out, scale.x(seconds), kHeight - kBottom + 18, std::to_string(seconds), "text-anchor='middle'");
  text(out, (kLeft + kWidth - kRight) / 2, kHeight - 12, "seconds", "text-anchor='middle'");
}

// Names beside the ends of lines, which often lie close together: each a line below the one before, at least.
void names(std::ostream& out, const std::vector<Curve>& curves, const std::vector<int>& kinds) {
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < curves.size(); ++k)
    if (!curves[k].points.empty()) order.push_back(k);
  std::ranges::sort(order, std::ranges::greater{},
                    [&](std::size_t k) { return curves[k].points.back().accuracy; });
  double y = kTop - 15;
  for (const std::size_t k : order) {
    y = std::max(y + 15, Scale::y(curves[k].points.back().accuracy) + 4);
    const std::string colour =
        std::string("fill='") + kColours[static_cast<std::size_t>(kinds[k]) % kColours.size()] + "'";
    text(out, kWidth - kRight + 8, y, curves[k].name, colour.c_str());
  }
}

}  // namespace

std::string accuracy_svg(const std::vector<Curve>& curves, const std::vector<int>& kinds) {
  Scale scale{1};
  for (const Curve& curve : curves)
    for (const Point& point : curve.points) scale.longest = std::max(scale.longest, point.seconds);
  std::ostringstream out;
  out << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << kWidth << " " << kHeight
      << "' font-family='sans-serif' font-size='13'>\n<rect width='100%' height='100%' fill='white'/>\n";
  axes(out, scale);
  for (std::size_t k = 0; k < curves.size(); ++k) {
    out << "<polyline fill='none' stroke-width='1.5' stroke='"
        << kColours[static_cast<std::size_t>(kinds[k]) % kColours.size()] << "' points='";
    for (const Point& point : curves[k].points)
      out << scale.x(point.seconds) << "," << Scale::y(point.accuracy) << " ";
    out << "'/>\n";
  }
  names(out, curves, kinds);
  out << "</svg>\n";
  return out.str();
}

}  // namespace mixed_swarm
