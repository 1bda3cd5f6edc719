// A QR code in the terminal.
#pragma once

#include <string_view>

namespace popsgd::command {

/// Prints the QR code of `text` (ISO/IEC 18004, error correction M) to standard output, two rows of modules a line, in half blocks. On
/// a terminal in black on white, whatever its colours are; else light modules are drawn, as for a dark screen. What is
/// drawn is overwritten in memory. Throws sim::Error.
void print_qr_code(std::string_view text, bool terminal);

}  // namespace popsgd::command
