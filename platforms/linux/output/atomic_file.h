// Results and keys reach the disk whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

namespace popsgd::command {

/// Makes `path` hold exactly `contents`. A reader, or a power cut, sees the old file or the new one and
/// never part of one: the bytes go to a temporary file beside it, are flushed to the disk, and the temporary
/// file is renamed. A symbolic link to a file is followed; anything that is not a regular file is refused.
///
/// Throws sim::Error ("cannot write 'x/summary.json': No space left on device"); the old file then stands
/// and no temporary file is left.
void write_file_atomically(const std::filesystem::path& path, std::string_view contents);

enum class Existing { keep, replace };

/// The same of what nobody but the file's owner is to read or change: so from the first moment, also of what `path` was before.
/// With Existing::keep a `path` that exists, as whatever, is an error, and stays as it is, however many ask at once.
void write_secret_atomically(const std::filesystem::path& path, std::string_view contents, Existing existing);

/// Creates `directory` with its parents and proves that files can be written in it, so that a long run
/// fails before its first step rather than after its last. Throws sim::Error.
void prepare_output_directory(const std::filesystem::path& directory);

}  // namespace popsgd::command
