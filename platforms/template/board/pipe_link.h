// A link along a wire: frames over a pipe of bytes.
#pragma once

#include <popsgd/link.h>

#include <array>
#include <cstddef>
#include <span>

namespace popsgd::board {

/// A pipe of bytes, such as a UART with its queues. PORT: implement it.
class Pipe {
 public:
  /// Takes bytes from the beginning of these, as many as there is room for; how many. Does not block.
  [[nodiscard]] virtual std::size_t write(std::span<const std::byte> bytes) noexcept = 0;
  /// Fills the beginning of `into` with what has come; how many bytes. Does not block.
  [[nodiscard]] virtual std::size_t read(std::span<std::byte> into) noexcept = 0;

 protected:
  Pipe() = default;
  Pipe(const Pipe&) = default;
  Pipe& operator=(const Pipe&) = default;
  ~Pipe() = default;
};

/// Each frame behind two bytes that say how long it is. Enough for a pipe that loses nothing; a wire that does needs frames
/// which are found again after an error, as a serial transport makes them. Frames carry their own checksum.
class PipeLink final : public Link {
 public:
  static constexpr std::uint16_t kMtu = 512;

  /// Both must outlive the link. The user hears of things from within poll() only.
  PipeLink(Pipe& pipe, LinkUser& user) noexcept : pipe_(pipe), user_(user) {}

  [[nodiscard]] LinkTraits traits() const noexcept override { return {.mtu = kMtu, .reliable = true}; }
  [[nodiscard]] Status send(std::span<const std::byte> frame) noexcept override;
  void close() noexcept override { closing_ = true; }

  /// The link's own work, to be called by the main loop whenever bytes may have come or gone.
  void poll() noexcept;

 private:
  static constexpr std::size_t kLength = 2;

  void flush() noexcept;
  bool receive() noexcept;

  Pipe& pipe_;
  LinkUser& user_;
  std::array<std::byte, kLength + kMtu> out_{};  // one frame on its way
  std::size_t out_begin_ = 0;
  std::size_t out_end_ = 0;
  alignas(8) std::array<std::byte, kMtu> in_{};
  std::array<std::byte, kLength> length_{};
  std::size_t in_count_ = 0;  // bytes of length and frame that have come
  bool refused_ = false;      // a frame: the user waits for writable()
  bool closing_ = false;
  bool closed_ = false;
};

}  // namespace popsgd::board
