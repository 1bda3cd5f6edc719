// The data layer: what files and formulas turn into, and that no file, however damaged, does more than
// throw Error.
#include <popsgd/sim/data_source.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

namespace popsgd::sim {
namespace {

namespace fs = std::filesystem;

/// A directory of its own for every test case, removed with all that is in it.
struct TemporaryDirectory {
  fs::path path = fs::temp_directory_path() / ("popsgd_data_test_" + std::to_string(getpid()));
  TemporaryDirectory() {
    fs::remove_all(path);
    fs::create_directory(path);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { fs::remove_all(path); }

  [[nodiscard]] std::string write(const std::string& name, const std::string& content) const {
    const fs::path file = path / name;
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
  }
};

// ---- writing the formats

/// The bytes of numbers, in the order asked for.
template <class Value>
std::string bytes_of(const std::vector<Value>& values, std::endian order) {
  std::string bytes;
  for (const Value& value : values) {
    auto raw = std::bit_cast<std::array<char, sizeof(Value)>>(value);
    if (order != std::endian::native) std::ranges::reverse(raw);
    bytes += std::string_view(raw.data(), raw.size());
  }
  return bytes;
}

template <class Value>
std::string idx(char code, const std::vector<std::uint32_t>& shape, const std::vector<Value>& values) {
  const std::string magic{'\0', '\0', code, static_cast<char>(shape.size())};
  return magic + bytes_of(shape, std::endian::big) + bytes_of(values, std::endian::big);
}

std::string images(std::uint32_t count) {
  std::vector<std::uint8_t> pixels(count * 6);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  return idx(8, {count, 2, 3}, pixels);
}

std::string labels(const std::vector<std::uint8_t>& values) {
  return idx(8, {static_cast<std::uint32_t>(values.size())}, values);
}

std::string npy_file(const std::string& dictionary, const std::string& data, char version = 1) {
  const auto size = static_cast<std::uint32_t>(dictionary.size());
  const std::string length =
      bytes_of<std::uint32_t>({size}, std::endian::little).substr(0, version == 1 ? 2 : 4);
  return std::string("\x93NUMPY") + version + '\0' + length + dictionary + data;
}

std::string npy_header(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

std::string gzip(const fs::path& directory, const std::string& content) {
  const fs::path path = directory / "compressed";
  const gzFile stream = gzopen(path.c_str(), "wb");
  gzwrite(stream, content.data(), static_cast<unsigned>(content.size()));
  gzclose(stream);
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// ---- reading them

Split load(const std::string& spec, std::uint64_t seed = 1) {
  return load_data(DataSpec::parse(spec), seed);
}

/// The message of the Error that loading throws, or "" if it succeeds. Anything else escapes and fails.
std::string error_of(const std::string& spec) {
  try {
    static_cast<void>(load(spec));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<float> gather_all(const Dataset& data) {
  std::vector<std::uint32_t> index(data.rows);
  std::iota(index.begin(), index.end(), 0U);
  std::vector<float> out(data.rows * data.features);
  data.gather(index, out.data());
  return out;
}

/// Training and test rows as (features..., label or target), sorted: what does not depend on the split.
std::vector<std::vector<float>> all_rows(const Split& split) {
  std::vector<std::vector<float>> rows;
  for (const Dataset* data : {&split.train, &split.test}) {
    const std::vector<float> values = gather_all(*data);
    for (std::size_t r = 0; r < data->rows; ++r) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(r * data->features);
      rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(data->features));
      rows.back().push_back(data->classes > 0 ? static_cast<float>(data->labels[r]) : data->targets[r]);
    }
  }
  std::ranges::sort(rows);
  return rows;
}

using Rows = std::vector<std::vector<float>>;

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
};

/// Of every `stride`-th value from the `first` on.
Moments moments(std::span<const float> values, std::size_t first, std::size_t stride) {
  Moments result;
  const double count = static_cast<double>(values.size() / stride);
  for (std::size_t i = first; i < values.size(); i += stride) result.mean += values[i] / count;
  for (std::size_t i = first; i < values.size(); i += stride) {
    result.variance += (values[i] - result.mean) * (values[i] - result.mean) / count;
  }
  return result;
}

/// What the rows of a loaded set promise, whatever they were read from.
void check_promises(const Split& split) {
  for (const Dataset* data : {&split.train, &split.test}) {
    REQUIRE(data->rows > 0);
    REQUIRE(data->features == split.train.features);
    REQUIRE(data->bytes.size() + data->floats.size() == data->rows * data->features);
    REQUIRE(data->scale.size() == data->features);
    REQUIRE(data->shift.size() == data->features);
    REQUIRE(data->labels.size() == (data->classes > 0 ? data->rows : 0));
    REQUIRE(std::ranges::all_of(data->labels, [&](std::uint32_t label) { return label < data->classes; }));
    REQUIRE(data->targets.size() == data->rows * data->outputs);
    REQUIRE(std::ranges::all_of(data->floats, [](float x) { return std::isfinite(x); }));
  }
}

/// Loads `content` cut at every length and with every byte inverted. Cut files must be refused if
/// `cut_is_error`; for the rest, either an Error or sound rows are right.
void check_damaged(const TemporaryDirectory& directory, const std::string& name, const std::string& options,
                   const std::string& content, bool cut_is_error) {
  const auto try_to_load = [&](const std::string& damaged) {
    const std::string path = directory.write(name, damaged);
    try {
      check_promises(load(path + options));
      return true;
    } catch (const Error& error) {
      CHECK(!contains(error.what(), "\n"));
      return false;
    }
  };
  REQUIRE(try_to_load(content));
  for (std::size_t length = 0; length < content.size(); ++length) {
    CAPTURE(length);
    const bool loaded = try_to_load(content.substr(0, length));
    if (cut_is_error) CHECK(!loaded);
  }
  for (std::size_t i = 0; i < content.size(); ++i) {
    CAPTURE(i);
    for (const int flip : {0xFF, 0x01, 0x80}) {
      std::string damaged = content;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      try_to_load(damaged);
    }
  }
}

// ---- asking for data

TEST_CASE("a spec is a name and the options after its last colon") {
  const DataSpec spec = DataSpec::parse("blobs:d=8,spread=0.5");
  CHECK(spec.name == "blobs");
  CHECK(spec.options == std::map<std::string, std::string>{{"d", "8"}, {"spread", "0.5"}});
  CHECK(DataSpec::parse("blobs").options.empty());
}

TEST_CASE("a path may contain colons and equals signs") {
  CHECK(DataSpec::parse("/a:b/c.csv").name == "/a:b/c.csv");
  CHECK(DataSpec::parse("/run=1:x/c.csv").name == "/run=1:x/c.csv");
  const DataSpec spec = DataSpec::parse("/a:b/c.csv:label=y,test=0.5");
  CHECK(spec.name == "/a:b/c.csv");
  CHECK(spec.options.at("label") == "y");
}

TEST_CASE("a spec without a name, or with an option twice, is refused") {
  CHECK_THROWS_AS(static_cast<void>(DataSpec::parse("")), Error);
  CHECK_THROWS_AS(static_cast<void>(DataSpec::parse(":d=1")), Error);
  CHECK_THROWS_WITH_AS(static_cast<void>(DataSpec::parse("blobs:d=1,d=2")),
                       "option 'd' is given twice; give it once", Error);
}

TEST_CASE("an unknown name is answered with the nearest one and with all of them") {
  const std::string error = error_of("fashon-mnist");
  CHECK(contains(error, "did you mean 'fashion-mnist'?"));
  for (const std::string_view name : data_names()) CHECK(contains(error, std::string(name)));
  CHECK(contains(error_of("least-square"), "did you mean 'least-squares'?"));
  CHECK(contains(error_of("noise"), "noise: is known by its moments"));
  CHECK(contains(error_of("blobs:d"), "did you mean 'blobs'?"));
  CHECK(!contains(error_of("/nowhere/at/all"), "did you mean"));
}

TEST_CASE("an option that is unknown or wrong is named with what would be right") {
  CHECK(
      error_of("blobs:sample=10") ==
      "blobs has no option 'sample' (its options are d, classes, samples, separation, spread, test); did you "
      "mean 'samples'?");
  CHECK(error_of("blobs:d=two") == "blobs: d=two is wrong; right is a whole number from 1 to 65536");
  for (const char* const wrong :
       {"d=0", "d=1.5", "d=-1", "d=99999999999999999999", "spread=nan", "spread=inf", "spread=-1", "test=0",
        "test=1", "test=x", "classes=1", "samples=1"}) {
    CAPTURE(wrong);
    CHECK(contains(error_of(std::string("blobs:") + wrong), std::string(wrong) + " is wrong; right is "));
  }
}

TEST_CASE("numbers are parsed whole, finite and with the name of what they are") {
  CHECK(parse_integer("-12", "--seed") == -12);
  CHECK(parse_real("1e-3", "--lr") == 1e-3);
  CHECK_THROWS_WITH_AS(static_cast<void>(parse_real("abc", "--lr")), "--lr: 'abc' is not a number", Error);
  for (const char* const wrong : {"", " 1", "1x", "nan", "inf", "-inf", "1e999", "0x1", "1,5"}) {
    CHECK_THROWS_AS(static_cast<void>(parse_real(wrong, "x")), Error);
    CHECK_THROWS_AS(static_cast<void>(parse_integer(wrong, "x")), Error);
  }
  CHECK_THROWS_AS(static_cast<void>(parse_integer("9223372036854775808", "x")), Error);
}

TEST_CASE("a suggestion is made only for a word that is near") {
  const std::vector<std::string_view> names{"ring", "torus", "complete"};
  CHECK(suggest("rign", names) == "; did you mean 'ring'?");
  CHECK(suggest("compleet", names) == "; did you mean 'complete'?");
  CHECK(suggest("hypercube", names).empty());
  CHECK(suggest("", names).empty());
}

// ---- rows

TEST_CASE("gather hands out value * scale + shift of the rows asked for, in their order") {
  Dataset data;
  data.rows = 3;
  data.features = 2;
  data.scale = {2.0F, 0.5F};
  data.shift = {1.0F, -1.0F};
  std::vector<float> out(4);
  const std::vector<std::uint32_t> index{2, 0};
  SUBCASE("from bytes") {
    data.bytes = {10, 20, 30, 40, 50, 60};
  }
  SUBCASE("from floats") {
    data.floats = {10, 20, 30, 40, 50, 60};
  }
  data.gather(index, out.data());
  CHECK(out == std::vector<float>{101.0F, 29.0F, 21.0F, 9.0F});
  CHECK(!data.plain());
}

TEST_CASE("rows of untransformed floats are plain, bytes never are") {
  Dataset data;
  data.rows = 1;
  data.features = 2;
  data.scale = {1.0F, 1.0F};
  data.shift = {0.0F, 0.0F};
  data.floats = {3.0F, 4.0F};
  CHECK(data.plain());
  CHECK(data.memory() == 8);
  data.floats.clear();
  data.bytes = {3, 4};
  CHECK(!data.plain());
  CHECK(data.memory() == 2);
}

// ---- IDX and the layout of MNIST

TEST_CASE("a directory of the four MNIST files is read as bytes, compressed or not") {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& name, const std::string& content, bool compress) {
    static_cast<void>(
        directory.write(compress ? name + ".gz" : name, compress ? gzip(directory.path, content) : content));
  };
  bool compress = false;
  SUBCASE("plain") {
    compress = false;
  }
  SUBCASE("compressed by gzip") {
    compress = true;
  }
  write("train-images-idx3-ubyte", images(4), compress);
  write("train-labels-idx1-ubyte", labels({7, 3, 3, 7}), compress);
  write("t10k-images-idx3-ubyte", images(2), !compress);
  write("t10k-labels-idx1-ubyte", labels({9, 3}), compress);

  const Split split = load(directory.path.string() + ":standardise=unit");
  check_promises(split);
  CHECK(split.train.rows == 4);
  CHECK(split.test.rows == 2);
  CHECK(split.train.features == 6);
  CHECK(split.train.classes == 3);  // 3, 7 and 9, which only the test set has
  CHECK(split.test.classes == 3);
  CHECK(split.train.labels == std::vector<std::uint32_t>{1, 0, 0, 1});
  CHECK(split.test.labels == std::vector<std::uint32_t>{2, 0});
  CHECK(split.train.bytes[23] == 23);
  CHECK(gather_all(split.train)[23] == doctest::Approx(23.0 / 255.0));
}

TEST_CASE("files of a directory that do not fit each other are refused, saying how") {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& name, const std::string& content) {
    static_cast<void>(directory.write(name, content));
  };
  const auto error = [&] { return error_of(directory.path.string()); };
  CHECK(contains(error(), "has no file train-images-idx3-ubyte"));
  write("train-images-idx3-ubyte", images(4));
  write("t10k-images-idx3-ubyte", idx<std::uint8_t>(8, {1, 2, 2}, {1, 2, 3, 4}));
  CHECK(contains(error(), "training images have 6 pixels, but its test images have 4"));
  write("t10k-images-idx3-ubyte", images(2));
  CHECK(contains(error(), "has no file train-labels-idx1-ubyte"));
  write("train-labels-idx1-ubyte", labels({1, 2, 3}));
  CHECK(contains(error(), "has 3 labels, but train-images-idx3-ubyte has 4 rows"));
  write("train-labels-idx1-ubyte", labels({1, 2, 3, 4}));
  write("t10k-labels-idx1-ubyte", images(2));
  CHECK(contains(error(), "labels need one dimension"));
  write("t10k-labels-idx1-ubyte", labels({1, 2}));
  CHECK(error().empty());
  write("train-images-idx3-ubyte", labels({1, 2, 3, 4}));
  CHECK(contains(error(), "is it a file of labels?"));
}

TEST_CASE_TEMPLATE("IDX files of every type are read", Value, std::int8_t, std::int16_t, std::int32_t, float,
                   double) {
  const TemporaryDirectory directory;
  const char code = std::is_same_v<Value, std::int8_t>    ? 0x09
                    : std::is_same_v<Value, std::int16_t> ? 0x0B
                    : std::is_same_v<Value, std::int32_t> ? 0x0C
                    : std::is_same_v<Value, float>        ? 0x0D
                                                          : 0x0E;
  const auto rows =
      idx<Value>(code, {3, 2}, {Value{-1}, Value{2}, Value{3}, Value{-4}, Value{5}, Value{100}});
  const std::string x = directory.write("x-idx2-ubyte", rows);
  const std::string y = directory.write("y-idx1-ubyte", labels({0, 1, 0}));
  const Split split = load(x + ":standardise=none,labels=" + y);
  check_promises(split);
  CHECK(all_rows(split) == Rows{{-1, 2, 0}, {3, -4, 1}, {5, 100, 0}});
}

TEST_CASE("an IDX file that is not what its header says is refused") {
  const TemporaryDirectory directory;
  const std::string y = directory.write("y-idx1-ubyte", labels({0, 1, 0, 1}));
  const auto error = [&](const std::string& content) {
    return error_of(directory.write("x-idx3-ubyte", content) + ":labels=" + y);
  };
  CHECK(error(images(4)).empty());
  CHECK(contains(error(images(4) + "x"), "but 25 bytes follow: it is too long"));
  CHECK(contains(error(images(4).substr(0, 30)), "4 x 2 x 3 elements of 1 bytes, but 14 bytes follow"));
  CHECK(contains(error(idx<std::uint8_t>(8, {0, 2, 3}, {})), "0 x 2 x 3 has no elements"));
  CHECK(contains(error(idx<std::uint8_t>(7, {4}, {1, 2, 3, 4})), "type code 7 is unknown"));
  CHECK(contains(error("hello"), "not an IDX file"));
  const std::uint32_t huge = 0xFFFFFFFFU;
  CHECK(contains(error(idx<std::uint8_t>(8, {huge, huge, huge, huge}, {1, 2})), "truncated"));
}

TEST_CASE("a damaged IDX file, plain or compressed, is refused or read, never more") {
  const TemporaryDirectory directory;
  const std::string options = ":labels=" + directory.write("y-idx1-ubyte", labels({0, 1, 0, 1}));
  check_damaged(directory, "x-idx3-ubyte", options, images(4), true);
  check_damaged(directory, "x-idx3-ubyte.gz", options, gzip(directory.path, images(4)), true);
}

TEST_CASE("Fashion-MNIST is what its authors published") {
  if (!fashion_mnist_available()) {
    MESSAGE("not installed (apt-get install dataset-fashion-mnist): skipped");
    return;
  }
  const Split split = load("fashion-mnist:standardise=unit");
  check_promises(split);
  CHECK(split.train.rows == 60'000);
  CHECK(split.test.rows == 10'000);
  CHECK(split.train.features == 784);
  CHECK(split.train.memory() == 60'000 * (784 + 4));
  CHECK(split.train.classes == 10);
  for (std::uint32_t label = 0; label < 10; ++label) {
    CHECK(std::ranges::count(split.train.labels, label) == 6000);
    CHECK(std::ranges::count(split.test.labels, label) == 1000);
  }
  // The mean and deviation of a pixel, as commonly quoted for normalising the set.
  const Moments pixel = moments(gather_all(split.train), 0, 1);
  CHECK(pixel.mean == doctest::Approx(0.2860).epsilon(2e-4));
  CHECK(std::sqrt(pixel.variance) == doctest::Approx(0.3530).epsilon(2e-4));

  // Unless told otherwise, images are standardised by the training pixels' mean and deviation.
  const Moments standardised = moments(gather_all(load("fashion-mnist").train), 0, 1);
  CHECK(std::fabs(standardised.mean) < 1e-4);
  CHECK(standardised.variance == doctest::Approx(1).epsilon(1e-4));
}

// ---- CSV

TEST_CASE("CSV: the last column is the label unless another is named") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("t.csv", "a,b,kind\n1,2,0\n3,4,1\n5,6,0\n");
  CHECK(all_rows(load(path + ":standardise=none")) == Rows{{1, 2, 0}, {3, 4, 1}, {5, 6, 0}});
  const Rows labelled_by_a{{2, 0, 0}, {4, 1, 1}, {6, 0, 2}};
  CHECK(all_rows(load(path + ":standardise=none,label=a")) == labelled_by_a);
  CHECK(all_rows(load(path + ":standardise=none,label=1")) == labelled_by_a);
  CHECK(contains(error_of(path + ":label=kond"), "no column is named 'kond'; did you mean 'kind'?"));
  CHECK(contains(error_of(path + ":label=4"), "label=4 is not a column; they count from 1 to 3"));
}

TEST_CASE("CSV: separators, quotes, blank lines and line ends are understood") {
  const TemporaryDirectory directory;
  const Rows expected{{1, 2, 0}, {3, 4, 1}};
  for (const char* const text : {
           "a,b,y\n1,2,0\n3,4,1\n",
           "1,2,0\n3,4,1",
           "a;b;y\r\n1;2;0\r\n\r\n3;4;1\r\n\r\n",
           "\n\na\tb\ty\n1\t2\t0\n  \n3\t4\t1\n",
           "\xEF\xBB\xBF\"a, or \"\"A\"\"\",\"b\nline\",y\n 1 , \"2\" ,0\n3,4,\"1\"\n",
           "1,2,no\n3,4,yes\n",
           "x,y,1\n1,2,no\n3,4,yes\n",
           "0,1,y\n1,2,5\n3,4,6\n",
       }) {
    CAPTURE(text);
    CHECK(all_rows(load(directory.write("t.csv", text) + ":standardise=none")) == expected);
  }
}

TEST_CASE("CSV: words and few whole numbers are classes in sorted order, other numbers are targets") {
  const TemporaryDirectory directory;
  const auto with_labels = [&](const std::string& a, const std::string& b, const std::string& options) {
    return load(directory.write("t.csv", "x,y\n1," + a + "\n2," + b + "\n") + ":standardise=none" + options);
  };
  CHECK(all_rows(with_labels("10", "9", "")) == Rows{{1, 1}, {2, 0}});
  CHECK(all_rows(with_labels("dog", "cat", "")) == Rows{{1, 1}, {2, 0}});
  CHECK(all_rows(with_labels("0.5", "1", "")) == Rows{{1, 0.5F}, {2, 1}});
  CHECK(with_labels("0.5", "1", "").train.outputs == 1);
  CHECK(with_labels("0.5", "1", ",task=classes").train.classes == 2);
  CHECK(with_labels("3", "1", ",task=regression").train.outputs == 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(with_labels("3", "big", ",task=regression")),
                       doctest::Contains("line 3, column 2: 'big' is not a number"), Error);
  CHECK_THROWS_AS(static_cast<void>(with_labels("3", "1", ",task=ranking")), Error);

  std::string many = "x,y\n";
  for (int i = 0; i <= 1000; ++i) many += "0," + std::to_string(i) + "\n";
  CHECK(load(directory.write("many.csv", many)).train.outputs == 1);
}

TEST_CASE("CSV: an error names file, line and column") {
  const TemporaryDirectory directory;
  const auto error = [&](const std::string& text) {
    return error_of(directory.write("t.csv", text)).substr(directory.path.string().size() + 1);
  };
  CHECK(error("a,y\n1,0\n\n2x,1\n") ==
        "t.csv: line 4, column 1: '2x' is not a number; only labels of classes may be words");
  CHECK(contains(error("a,b,y\n1,,0\n"), "line 2, column 2: the cell is empty"));
  CHECK(contains(error("a,y\n1,0\nnan,0\n"), "line 3, column 1: 'nan' is not a finite number"));
  CHECK(contains(error("nan,0\n1,0\n"), "line 1, column 1"));
  CHECK(contains(error("a,y\n1e39,0\n"), "line 2, column 1: '1e39' is not a finite number"));
  CHECK(contains(error("a,y\n1,inf\n"), "line 2, column 2"));
  CHECK(contains(error("a,y\n1,0\n1,2,3\n"), "line 3 has 3 cells, but the first line has 2"));
  CHECK(contains(error("\"a\nb\",y\n1,0\n1,\"2\n"), "line 4, column 2: a quote is not closed"));
  CHECK(contains(error("a,y\n\"1\"1,0\n"), "line 2, column 1: there is text after the closing quote"));
  CHECK(contains(error("a\n1\n"), "line 1 has one column"));
  CHECK(contains(error("a,y\n"), "no rows under its header"));
  CHECK(contains(error("\n \n"), "is empty"));
  CHECK(contains(error("1,2\n"), "has 1 row(s)"));
}

TEST_CASE("CSV: a damaged file is refused or read, never more") {
  const TemporaryDirectory directory;
  check_damaged(directory, "t.csv", "", "a;\"b \"\"x\"\"\";y\r\n1;-2.5;no\r\n3e2;4;\"yes\"\r\n5;6;no\r\n",
                false);
}

// ---- .npy

TEST_CASE_TEMPLATE(".npy files of every type, byte order and version are read", Value, std::uint8_t,
                   std::int8_t, std::int16_t, std::int32_t, std::int64_t, float, double) {
  const TemporaryDirectory directory;
  const char kind = std::is_floating_point_v<Value> ? 'f' : std::is_signed_v<Value> ? 'i' : 'u';
  const std::string type = kind + std::to_string(sizeof(Value));
  const std::vector<Value> values{Value{1}, Value{2}, Value{7}, Value{3}, Value{4}, Value{9}};
  for (const char version : {'\1', '\2', '\3'}) {
    for (const std::endian order : {std::endian::little, std::endian::big}) {
      const std::string descr = (order == std::endian::big ? '>' : '<') + type;
      const std::string content = npy_file(npy_header(descr, "(2, 3)"), bytes_of(values, order), version);
      const std::string path = directory.write("t.npy", content);
      CHECK(all_rows(load(path + ":standardise=none")) == Rows{{1, 2, 0}, {3, 4, 1}});
      CHECK(all_rows(load(path + ":standardise=none,label=1")) == Rows{{2, 7, 0}, {4, 9, 1}});
      CHECK(contains(error_of(path + ":label=4"), "label=4 is wrong; right is a whole number from 1 to 3"));
    }
  }
}

TEST_CASE(".npy: labels may be in a file of their own, and bytes then stay bytes") {
  const TemporaryDirectory directory;
  const std::string y = directory.write(
      "y.npy", npy_file(npy_header("<i8", "(2,)"), bytes_of<std::int64_t>({5, -5}, std::endian::little)));
  const std::string x = directory.write("x.npy", npy_file(npy_header("|u1", "(2, 2, 2)"), "abcdefgh"));
  const Split split = load(x + ":standardise=none,labels=" + y);
  CHECK(split.train.bytes.size() == 4);
  CHECK(all_rows(split) == Rows{{'a', 'b', 'c', 'd', 1}, {'e', 'f', 'g', 'h', 0}});
  CHECK(contains(error_of(x), "labels=FILE names a file of labels"));
  CHECK(contains(error_of(x + ":label=1,labels=" + y), "no label=COLUMN beside labels=FILE"));
  CHECK(contains(error_of(x + ":labels=" + x), "labels need one dimension"));
}

TEST_CASE(".npy: a header that is not as the format says is refused") {
  const TemporaryDirectory directory;
  const auto error = [&](const std::string& dictionary) {
    return error_of(directory.write("t.npy", npy_file(dictionary, std::string(16, '\0'))));
  };
  CHECK(error("{\"shape\":(2L,2L),'descr':\"<f4\",'fortran_order':False}").empty());
  CHECK(contains(error("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}"), "Fortran order"));
  CHECK(contains(error("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2)}"),
                 "describes records"));
  CHECK(contains(error(npy_header("<c8", "(2, 1)")), "element type"));
  CHECK(contains(error(npy_header("", "(2, 2)")), "element type"));
  CHECK(contains(error(npy_header("<f4", "()")), "single number"));
  CHECK(contains(error(npy_header("<f4", "(4,)")), "not a table"));
  CHECK(contains(error(npy_header("<f4", "(0, 2)")), "no elements"));
  CHECK(contains(error(npy_header("<f4", "(-2, 2)")), "whole numbers"));
  CHECK(contains(error(npy_header("<f4", "(2, 99999999999999999999)")), "whole numbers"));
  CHECK(contains(error(npy_header("<f4", "(4294967296, 4294967296)")),
                 sizeof(std::size_t) > 4 ? "truncated" : "whole numbers up to 4294967295"));
  CHECK(contains(error(npy_header("<f4", "(2, 1)")), "too long"));
  for (const char* const damaged : {"", "{", "{}", "{'descr'}", "{'descr': '<f4'", "[]", "{'descr': '<f4",
                                    "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2)}",
                                    "{'descr': '<f4', 'fortran_order': False, 'shape': (2 2)}",
                                    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2",
                                    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)} x",
                                    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'x': 1}"}) {
    CAPTURE(damaged);
    CHECK(contains(error(damaged), "t.npy: the .npy header "));
  }
  CHECK(contains(error_of(directory.write("t.npy", npy_file("{}", "", 4))), "version 4 is unknown"));
}

TEST_CASE(".npy: a damaged file, plain or compressed, is refused or read, never more") {
  const TemporaryDirectory directory;
  const std::string content =
      npy_file(npy_header("<f4", "(3, 2)"), bytes_of<float>({1, 0, 2.5F, 1, -3, 0}, std::endian::little));
  check_damaged(directory, "t.npy", "", content, true);
  check_damaged(directory, "t.npy.gz", "", gzip(directory.path, content), true);
}

TEST_CASE("a value that is not finite is refused with its file and row") {
  const TemporaryDirectory directory;
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300}) {
    const std::vector<double> values{1, 2, 3, 4, bad, 6};
    const std::string path = directory.write(
        "t.npy", npy_file(npy_header("<f8", "(3, 2)"), bytes_of(values, std::endian::little)));
    CHECK(contains(error_of(path), "t.npy: row 2 (the first is 0) has a value that is "));
  }
}

// ---- splitting and standardising

TEST_CASE("the test set is the fraction asked for, disjoint from the training set, and drawn by the seed") {
  const TemporaryDirectory directory;
  std::string text = "x,y\n";
  for (int i = 0; i < 101; ++i) text += std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  const std::string path = directory.write("t.csv", text) + ":standardise=none";
  const Split split = load(path);
  CHECK(split.test.rows == 20);
  CHECK(split.train.rows == 81);
  std::set<float> seen(split.train.floats.begin(), split.train.floats.end());
  seen.insert(split.test.floats.begin(), split.test.floats.end());
  CHECK(seen.size() == 101);
  for (std::size_t r = 0; r < split.train.rows; ++r) {
    REQUIRE(split.train.labels[r] == static_cast<std::uint32_t>(split.train.floats[r]) % 2);
  }
  CHECK(load(path).test.floats == split.test.floats);
  CHECK(load(path, 2).test.floats != split.test.floats);
  CHECK(load(path + ",test=0.5").test.rows == 51);
  CHECK(load(path + ",test=0.00001").test.rows == 1);
  CHECK(load(path + ",test=0.99999").train.rows == 1);
}

TEST_CASE("standardised training columns have mean 0 and variance 1, and the test set the same transform") {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 500; ++i) {
    text += std::to_string(i * i % 97) + ",0.1," + std::to_string(1e4 + i % 13) + "," +
            std::to_string(i % 2) + "\n";
  }
  const std::string path = directory.write("t.csv", text);
  const Split split = load(path);
  const std::vector<float> values = gather_all(split.train);
  for (const std::size_t column : {0U, 2U}) {
    const Moments of = moments(values, column, 3);
    CHECK(of.mean == doctest::Approx(0.0).scale(1.0).epsilon(1e-3));  // 1e4 / deviation, in floats
    CHECK(of.variance == doctest::Approx(1.0).epsilon(1e-4));
  }
  CHECK(moments(values, 0, 3).mean == doctest::Approx(0.0).scale(1.0).epsilon(1e-6));
  const Moments constant = moments(values, 1, 3);
  CHECK(constant.mean == 0.0);
  CHECK(constant.variance == 0.0);
  CHECK(split.train.scale[1] == 1.0F);
  CHECK(split.test.scale == split.train.scale);
  CHECK(split.test.shift == split.train.shift);

  const Moments global = moments(gather_all(load(path + ":standardise=global").train), 0, 1);
  CHECK(global.mean == doctest::Approx(0.0).scale(1.0).epsilon(1e-5));
  CHECK(global.variance == doctest::Approx(1.0).epsilon(1e-5));
  CHECK(load(path + ":standardise=none").train.plain());
  CHECK(contains(error_of(path + ":standardise=unit"), "the rows are not bytes"));
  CHECK(contains(error_of(path + ":standardise=featre"), "did you mean 'feature'?"));
}

// ---- synthetic sets

TEST_CASE("the same seed draws the same synthetic set, another seed another") {
  for (const std::string spec : {"blobs:samples=100", "logistic:samples=100"}) {
    const Split split = load(spec, 3);
    check_promises(split);
    CHECK(split.train.plain());
    CHECK(split.train.rows == 80);
    CHECK(load(spec, 3).train.floats == split.train.floats);
    CHECK(load(spec, 3).test.labels == split.test.labels);
    CHECK(load(spec, 4).train.floats != split.train.floats);
  }
}

/// The mean of the rows of each class.
std::vector<std::vector<double>> class_means(const Dataset& data) {
  std::vector<std::vector<double>> means(data.classes, std::vector<double>(data.features));
  for (std::size_t r = 0; r < data.rows; ++r) {
    const auto count = static_cast<double>(std::ranges::count(data.labels, data.labels[r]));
    for (std::size_t j = 0; j < data.features; ++j) {
      means[data.labels[r]][j] += static_cast<double>(data.floats[r * data.features + j]) / count;
    }
  }
  return means;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  return std::sqrt(std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                                         [](double x, double y) { return (x - y) * (x - y); }));
}

TEST_CASE("two blobs lie the separation apart, opposite each other, with the spread asked for") {
  const Dataset train = load("blobs:d=5,samples=20000,separation=6,spread=0.5").train;
  const auto means = class_means(train);
  const std::vector<double> origin(5);
  // A mean of 8000 rows is off by about spread / sqrt(8000) = 0.006 in each direction.
  CHECK(distance(means[0], means[1]) == doctest::Approx(6.0).epsilon(0.005));
  CHECK(distance(means[0], origin) == doctest::Approx(3.0).epsilon(0.01));
  double squares = 0.0;
  for (std::size_t r = 0; r < train.rows; ++r) {
    const std::vector<double> row(&train.floats[r * 5], &train.floats[r * 5] + 5);
    squares += std::pow(distance(row, means[train.labels[r]]), 2) / static_cast<double>(train.rows);
  }
  CHECK(squares / 5.0 == doctest::Approx(0.25).epsilon(0.02));
}

TEST_CASE("more blobs lie the separation away from the origin, equally many rows in each") {
  const Split split = load("blobs:classes=4,d=3,samples=8000,separation=10");
  CHECK(split.train.classes == 4);
  const auto means = class_means(split.train);
  for (const auto& mean : means) {
    CHECK(distance(mean, {0.0, 0.0, 0.0}) == doctest::Approx(10.0).epsilon(0.01));
  }
  for (std::uint32_t label = 0; label < 4; ++label) {
    CHECK(std::ranges::count(split.train.labels, label) + std::ranges::count(split.test.labels, label) ==
          2000);
  }
}

TEST_CASE("logistic labels follow the logistic model") {
  const Dataset train = load("logistic:d=4,samples=60000,signal=3").train;
  const double rows = static_cast<double>(train.rows);
  CHECK(train.classes == 2);
  CHECK(static_cast<double>(std::ranges::count(train.labels, 1U)) / rows ==
        doctest::Approx(0.5).epsilon(0.02));
  for (std::size_t j = 0; j < 4; ++j) {
    const Moments feature = moments(train.floats, j, 4);
    CHECK(feature.mean == doctest::Approx(0.0).scale(1.0).epsilon(0.02));
    CHECK(feature.variance == doctest::Approx(1.0).epsilon(0.03));
  }
  // With y = +-1 and z = x.w/|w| ~ N(0, 1), E[y x] = w/|w| E[z tanh(signal z / 2)]; the integral by the
  // midpoint rule, the sample's mean to 4 / sqrt(48000).
  double expected = 0.0;
  for (double z = -7.9995; z < 8.0; z += 0.001) {
    expected += 0.001 * std::exp(-z * z / 2.0) / std::sqrt(2.0 * 3.14159265358979) * z * std::tanh(1.5 * z);
  }
  std::vector<double> correlation(4);
  for (std::size_t r = 0; r < train.rows; ++r) {
    for (std::size_t j = 0; j < 4; ++j) {
      correlation[j] +=
          static_cast<double>(train.floats[4 * r + j]) * (train.labels[r] == 1 ? 1.0 : -1.0) / rows;
    }
  }
  CHECK(distance(correlation, {0.0, 0.0, 0.0, 0.0}) == doctest::Approx(expected).epsilon(0.025));
}

}  // namespace
}  // namespace popsgd::sim
