#include "device/flash.h"

#include "device/registers.h"
#include "device/semihosting.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace popsgd::cortex_m {
namespace {

#if defined(POPSGD_BOARD_MICROBIT)

constexpr std::uintptr_t kBase = 256 * 1024 - Flash::kSize;

// nRF51 Series Reference Manual, chapter NVMC: what may be done now, and whether it has been.
class Controller {
 public:
  enum class Mode : std::uint32_t { read = 0, write = 1, erase = 2 };
  explicit Controller(Mode mode) { set(mode); }
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;
  Controller(Controller&&) = delete;
  Controller& operator=(Controller&&) = delete;
  ~Controller() { set(Mode::read); }

  static void erase(std::uintptr_t block) {
    at(kErase) = block;
    wait();
  }
  static void wait() {
    while (at(kReady) == 0) {
    }
  }

 private:
  static constexpr std::uintptr_t kReady = 0x4001E400;
  static constexpr std::uintptr_t kConfig = 0x4001E504;
  static constexpr std::uintptr_t kErase = 0x4001E508;
  static void set(Mode mode) {
    at(kConfig) = static_cast<std::uint32_t>(mode);
    wait();
  }
};

bool read_at(std::size_t offset, std::span<std::byte> into) {
  const auto* const from =
      reinterpret_cast<const std::byte*>(kBase + offset);  // NOLINT(performance-no-int-to-ptr)
  std::copy_n(from, into.size(), into.begin());
  return true;
}

bool program_at(std::size_t offset, std::span<const std::byte> bytes) {
  const Controller controller(Controller::Mode::write);
  for (std::size_t k = 0; k < bytes.size(); k += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + k, sizeof word);
    at(kBase + offset + k) = word;
    Controller::wait();
  }
  return true;
}

bool erase_at(std::size_t offset, std::size_t size) {
  if (size < Flash::kBlock) return true;  // cut short: as if it had not begun
  const Controller controller(Controller::Mode::erase);
  Controller::erase(kBase + offset);
  return true;
}

#else

constexpr const char* kFile = "popsgd-flash";
constexpr std::size_t kPiece = 64;

bool change(std::size_t offset, std::span<const std::byte> bytes) {
  semihosting::File file(kFile, semihosting::File::Mode::update);
  return file.is_open() && file.seek(offset) && file.write(bytes);
}

bool erase_at(std::size_t offset, std::size_t size) {
  std::array<std::byte, kPiece> erased{};
  erased.fill(std::byte{0xFF});
  bool done = true;
  for (std::size_t k = 0; k < size; k += kPiece)
    done = done && change(offset + k, std::span(erased).first(std::min(kPiece, size - k)));
  return done;
}

// A new file is erased flash.
bool exists() {
  if (semihosting::File(kFile, semihosting::File::Mode::read).is_open()) return true;
  return semihosting::File(kFile, semihosting::File::Mode::create).is_open() && erase_at(0, Flash::kSize);
}

bool read_at(std::size_t offset, std::span<std::byte> into) {
  if (!exists()) return false;
  semihosting::File file(kFile, semihosting::File::Mode::read);
  return file.is_open() && file.seek(offset) && file.read(into);
}

bool program_at(std::size_t offset, std::span<const std::byte> bytes) {
  if (!exists()) return false;
  std::array<std::byte, kPiece> cells{};
  for (std::size_t k = 0; k < bytes.size(); k += kPiece) {
    const auto piece = bytes.subspan(k, std::min(kPiece, bytes.size() - k));
    const auto now = std::span(cells).first(piece.size());
    if (!read_at(offset + k, now)) return false;
    std::ranges::transform(now, piece, now.begin(), [](std::byte cell, std::byte b) { return cell & b; });
    if (!change(offset + k, now)) return false;
  }
  return true;
}

#endif

}  // namespace

std::size_t Flash::powered(std::size_t size) noexcept {
  if (left_ == kForever) return size;
  if (left_ > 0) --left_;
  return left_ > 0 ? size : size / 8 * 4;
}

bool Flash::read(std::size_t offset, std::span<std::byte> into) noexcept {
  return !failed() && read_at(offset, into);
}

bool Flash::program(std::size_t offset, std::span<const std::byte> bytes) noexcept {
  if (failed()) return false;
  const bool done = program_at(offset, bytes.first(powered(bytes.size())));
  return done && !failed();
}

bool Flash::erase(std::size_t offset) noexcept {
  if (failed()) return false;
  const bool done = erase_at(offset, powered(kBlock));
  return done && !failed();
}

}  // namespace popsgd::cortex_m
