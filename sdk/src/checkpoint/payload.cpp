#include "checkpoint/payload.h"

#include "numeric/crc32c.h"

#include <algorithm>

namespace popsgd::checkpoint {

Status PayloadWriter::put(std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), page_.size() - filled_);
    std::copy_n(bytes.begin(), count, page_.data() + filled_);
    filled_ += count;
    bytes = bytes.subspan(count);
    if (filled_ < page_.size()) break;
    if (const Status status = write_page(); status != Status::ok) return status;
  }
  return Status::ok;
}

Status PayloadWriter::finish() noexcept {
  return filled_ == 0 ? Status::ok : write_page();
}

Status PayloadWriter::write_page() noexcept {
  crc_ = numeric::crc32c(std::span(page_).first(filled_), crc_);
  std::fill(page_.begin() + static_cast<std::ptrdiff_t>(filled_), page_.end(), std::byte{0});
  const Status status = store_.write(slot_, offset_, page_);
  offset_ += page_.size();
  filled_ = 0;
  return status;
}

Status PayloadReader::get(std::span<std::byte> into) noexcept {
  while (!into.empty()) {
    if (ready_.empty()) {
      if (const Status status = read_page(); status != Status::ok) return status;
    }
    const std::size_t count = std::min(into.size(), ready_.size());
    std::copy_n(ready_.begin(), count, into.begin());
    ready_ = ready_.subspan(count);
    into = into.subspan(count);
  }
  return Status::ok;
}

Status PayloadReader::skip_rest() noexcept {
  while (left_ > 0) {
    if (const Status status = read_page(); status != Status::ok) return status;
  }
  ready_ = {};
  return Status::ok;
}

Status PayloadReader::read_page() noexcept {
  const auto page = std::span(page_).first(std::min(left_, page_.size()));
  if (const Status status = store_.read(slot_, offset_, page); status != Status::ok) return status;
  crc_ = numeric::crc32c(page, crc_);
  offset_ += page.size();
  left_ -= page.size();
  ready_ = page;
  return Status::ok;
}

}  // namespace popsgd::checkpoint
