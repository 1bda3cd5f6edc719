#include "exchange/snapshots.h"

#include "codec/codec.h"
#include "codec/seal.h"
#include "numeric/crc32c.h"

#include <popsgd/assert.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>

namespace popsgd {
namespace {

using lattice::Points;
using lattice::Values;

static_assert(std::endian::native == std::endian::little, "parameters travel as they lie in memory");

constexpr std::int16_t kUnheard = std::numeric_limits<std::int16_t>::max();

// Bits of a raw point.
constexpr int raw_bits(Numeric sender) {
  return sender == Numeric::float32 ? 32 : sender == Numeric::int16 ? 16 : 8;
}

// The same memory holds floats at one time and integers at another.
template <typename T>
void begin_as(std::byte* memory, std::size_t count) {
  std::uninitialized_default_construct_n(reinterpret_cast<T*>(memory), count);
}

std::uint32_t largest(lattice::ConstPoints points) {
  std::uint32_t most = 0;
  for (const std::int32_t point : points) {
    const auto word = static_cast<std::uint32_t>(point);
    most = std::max(most, point < 0 ? 0U - word : word);
  }
  return most;
}

// How far integers are shifted to have no more than so many bits.
int excess(std::uint32_t largest, int bits) {
  return std::max(0, static_cast<int>(std::bit_width(largest)) - bits);
}

// The finest step at which two models of this size are within the reach of the most bits, whatever their distance.
int widest_exponent(const Values& values) {
  constexpr int kReach = lattice::kMostBits - 2;
  if (values.integer()) return excess(largest(values.integers()), kReach) - values.fraction();
  return lattice::within_reach(lattice::finest_exponent(values) + 24 - kReach);
}

// Of squares: beyond a float's range.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

// Of squares of 20 bits a slice's sum fits 64.
double square(const lattice::Gap& gap) {
  const int shift = excess(largest(gap.values), 20);
  std::uint64_t sum = 0;
  for (const std::int32_t value : gap.values) {
    const std::int64_t shifted = value >> shift;
    sum += static_cast<std::uint64_t>(shifted * shifted);
  }
  return static_cast<double>(sum) * power_of_two(2 * (gap.exponent + shift));
}

// From k on, a part of so many parameters of which the stack holds the points.
Stretch part_from(std::size_t k, std::size_t length) {
  return {k, std::min(lattice::kSlice, length - k)};
}

void write_raw(const Values& values, lattice::Lattice grid, int bits, std::byte* out) {
  const auto bytes = static_cast<std::size_t>(bits) / 8;
  std::array<std::int32_t, lattice::kSlice> points;
  for (std::size_t k = 0; k < values.size(); k += lattice::kSlice) {
    const Stretch part = part_from(k, values.size());
    lattice::quantise(values.part(part.offset, part.length), grid.from(part.offset),
                      Points(points).first(part.length));
    for (std::size_t j = 0; j < part.length; ++j, out += bytes) std::memcpy(out, &points[j], bytes);
  }
}

void read_raw(const std::byte* in, int bits, Points points) {
  const auto bytes = static_cast<std::size_t>(bits) / 8;
  for (std::int32_t& point : points) {
    std::uint32_t word = 0;
    std::memcpy(&word, in, bytes);
    const auto value = static_cast<std::int32_t>(word << (32 - bits)) >> (32 - bits);
    point = std::clamp(value, -lattice::kFurthest, lattice::kFurthest);  // further ones nobody sends
    in += bytes;
  }
}

float step_of(int exponent) {
  return lattice::power_of_two(std::clamp(exponent, -126, 127));
}

}  // namespace

void Snapshots::Slices::next() {
  at += length;
  rest_ -= length;
  const Tensors tensors(of_.model_);
  const std::size_t first = of_.block_.offset + at;
  for (std::size_t k = end_ == 0 ? 0 : tensor + 1; rest_ > 0 && end_ <= first; ++k) {
    tensor = k;
    end_ += tensors.length(k, of_.model_.size());
  }
  length = std::min(rest_, end_ - first);
  if (left()) scale = of_.scales_ + (tensor - of_.first_tensor_);
}

Values Snapshots::own(const Slice& slice) const {
  if (!model_.integer()) return Values(ConstParams(own_as<float>().subspan(slice.at).first(slice.length)));
  return Values(lattice::ConstPoints(own_as<std::int32_t>().subspan(slice.at).first(slice.length)),
                fraction(slice));
}

lattice::Signs Snapshots::signs(const Slice& slice) const {
  return {offset_, static_cast<std::uint32_t>(slice.tensor)};
}

// --- the plan

void Snapshots::connect(lattice::Side side, Numeric theirs, bool plain, std::uint16_t mtu) {
  side_ = side;
  their_numeric_ = theirs;
  plain_ = plain;
  room_ = static_cast<std::uint16_t>(mtu - codec::kStateOverhead - codec::kSeal);
}

// A tensor of one parameter takes five bytes raw; none takes more for each.
std::size_t Snapshots::least_chunk(std::uint16_t mtu, bool plain) {
  const std::size_t room = mtu - codec::kStateOverhead - codec::kSeal;
  return plain ? room / sizeof(float) : (room - 1) / 5;
}

std::size_t Snapshots::lead(Encoding encoding, Numeric sender) const {
  if (floats()) return 0;
  return sender == Numeric::float32 || encoding.bits == 0 ? 1 : 2;
}

int Snapshots::width(const Slice& slice, int bits) const {
  return lattice::bits_of(Tensors(model_).length(slice.tensor, model_.size()), model_.size(), bits);
}

std::size_t Snapshots::part_size(const Slice& slice, Encoding encoding, Numeric sender) const {
  const std::size_t points = encoding.bits == 0
                                 ? slice.length * static_cast<std::size_t>(raw_bits(sender)) / 8
                                 : lattice::packed_size(slice.length, width(slice, encoding.bits));
  return lead(encoding, sender) + points;
}

std::size_t Snapshots::chunk_size(std::size_t at, std::size_t length, Encoding encoding,
                                  Numeric sender) const {
  std::size_t size = plain() ? 0 : 1;
  for (Slices slice = slices(at, length); slice.left(); slice.next())
    size += part_size(slice, encoding, sender);
  return size;
}

// As many parameters as fit, a multiple of 8 if they are packed: from what their points alone would leave room for
// downwards, until all chunks have room for what leads them, too.
Snapshots::Cut Snapshots::cut(Encoding encoding, Numeric sender) const {
  const std::size_t least =
      least_chunk(static_cast<std::uint16_t>(room_ + codec::kStateOverhead + codec::kSeal), plain());
  const std::size_t bits = encoding.bits == 0 ? static_cast<std::size_t>(raw_bits(sender)) : encoding.bits;
  const auto fits = [&](std::size_t chunk) {
    bool all = true;
    for (std::size_t at = 0; all && at < block_.length; at += chunk)
      all = chunk_size(at, std::min(chunk, block_.length - at), encoding, sender) <= room_;
    return all;
  };
  std::size_t chunk = std::size_t{room_ - (plain() ? 0U : 1U)} * 8 / bits;
  if (!floats()) {
    chunk -= chunk % 8;
    while (chunk > least && !fits(chunk)) chunk -= std::min(chunk, std::max<std::size_t>(8, chunk / 64 * 8));
    chunk = std::max(chunk, least);
  }
  return {static_cast<std::uint32_t>(chunk), static_cast<std::uint16_t>((block_.length + chunk - 1) / chunk),
          encoding};
}

Stretch Snapshots::chunk_of(const Cut& cut, std::uint16_t chunk) const {
  const std::size_t start = std::size_t{chunk} * cut.chunk;
  if (start >= block_.length) return {};
  return {start, std::min<std::size_t>(cut.chunk, block_.length - start)};
}

void Snapshots::take(Stretch block, std::uint32_t offset) {
  block_ = block;
  offset_ = offset;
  heard_ = settled_ = false;
  floats_ = plain();
  own_cut_ = their_cut_ = {};
  first_tensor_ = Tensors(model_).at(block.offset, model_.size());
  for (Slices slice = slices(); slice.left(); slice.next()) {
    *slice.scale = {.theirs = kUnheard};
  }
  model_.visit([this]<typename T>(std::span<T> model) {
    const std::span<T> x = model.subspan(block_.offset).first(block_.length);
    if constexpr (std::is_floating_point_v<T>) {
      begin_as<float>(own_memory_, x.size());
      std::copy(x.begin(), x.end(), own_as<float>().begin());
    } else {
      begin_as<std::int32_t>(own_memory_, x.size());
      std::copy(x.begin(), x.end(), own_as<std::int32_t>().begin());
    }
  });
}

std::uint16_t Snapshots::speak(Encoding encoding, const Steps& steps) {
  if (side_ == lattice::Side::initiator)
    floats_ = !model_.integer() && their_numeric_ == Numeric::float32 && encoding.bits == 0;
  if (has(Part::rotation) && encoding.rotated && !rotated()) rotate_own();
  own_cut_ = cut(encoding, model_.numeric());
  own_summed_ = own_sum_ = 0;
  if (!floats()) {
    for (Slices slice = slices(); slice.left(); slice.next())
      slice.scale->own = static_cast<std::int16_t>(own_exponent(slice, encoding, steps));
  }
  return own_cut_.chunks;
}

std::uint16_t Snapshots::hear(Encoding encoding) {
  heard_ = true;
  if (side_ == lattice::Side::responder)
    floats_ = !model_.integer() && their_numeric_ == Numeric::float32 && encoding.bits == 0;
  their_cut_ = cut(encoding, their_numeric_);
  for (Slices slice = slices(); slice.left(); slice.next()) {
    slice.scale->apart = 0;
    slice.scale->met = false;
  }
  summed_ = 0;
  checksums_ = {};
  if (floats())
    begin_as<float>(their_memory_, block_.length);
  else
    begin_as<std::int32_t>(their_memory_, block_.length);
  return their_cut_.chunks;
}

bool Snapshots::known(const Steps& steps) const {
  bool all = true;
  for (Slices slice = slices(); slice.left(); slice.next())
    all = all && steps.known(slice.tensor, block_.offset + slice.at);
  return all;
}

void Snapshots::rotate_own() {
  for (Slices slice = slices(); slice.left(); slice.next()) {
    if (model_.integer())
      lattice::rotate(own_as<std::int32_t>().subspan(slice.at).first(slice.length), signs(slice));
    else
      lattice::rotate(own_as<float>().subspan(slice.at).first(slice.length), signs(slice));
  }
}

int Snapshots::own_exponent(const Slice& slice, Encoding encoding, const Steps& steps) const {
  const Values values = own(slice);
  const int finest = lattice::finest_exponent(values);
  const std::size_t offset = block_.offset + slice.at;
  if (encoding.bits == 0) return finest;
  return steps.known(slice.tensor, offset) ? steps.exponent(slice.tensor, offset, finest)
                                           : widest_exponent(values);
}

// --- chunks

std::optional<Encoding> Snapshots::encoding_of(std::span<const std::byte> chunk) const {
  return plain() ? Encoding{} : Encoding::unpack(chunk[0]);
}

// Floats are summed as they leave and arrive, while they are in the cache, as far as they do so one after the other.
std::span<const std::byte> Snapshots::write(std::uint16_t chunk, std::span<std::byte> room) {
  const auto [at, length] = chunk_of(own_cut_, chunk);
  const auto own_part = own_as<float>().subspan(floats() ? at : 0).first(floats() ? length : 0);
  const auto bytes = std::as_bytes(own_part);
  if (at == own_summed_) {
    own_sum_ = numeric::crc32c(bytes, own_sum_);
    own_summed_ += static_cast<std::uint32_t>(own_part.size());
  }
  if (plain()) return bytes;
  const Encoding encoding = own_cut_.encoding;
  std::size_t size = 0;
  room[size++] = encoding.pack();
  if (floats()) {
    std::memcpy(room.data() + size, bytes.data(), bytes.size());
    return room.first(size + bytes.size());
  }
  for (Slices slice = slices(at, length); slice.left(); slice.next()) {
    const Values values = own(slice);
    const lattice::Lattice grid = lattice_of(slice, slice.scale->own);
    const std::size_t end = size + part_size(slice, encoding, model_.numeric());
    if (encoding.bits != 0 || !model_.integer()) room[size++] = static_cast<std::byte>(slice.scale->own);
    if (model_.integer()) room[size++] = static_cast<std::byte>(fraction(slice));
    if (encoding.bits == 0)
      write_raw(values, grid, raw_bits(model_.numeric()), room.data() + size);
    else
      lattice::encode(values, grid, width(slice, encoding.bits), room.subspan(size).first(end - size));
    size = end;
  }
  return room.first(size);
}

Snapshots::Lead Snapshots::lead_of_theirs(const std::byte* bytes) const {
  const auto number = [bytes](std::size_t k) { return int{static_cast<std::int8_t>(bytes[k])}; };
  if (their_numeric_ == Numeric::float32) return {number(0), 0};
  return their_cut_.encoding.bits == 0 ? Lead{-number(0), number(0)} : Lead{number(0), number(1)};
}

bool Snapshots::fits(std::uint16_t chunk, std::span<const std::byte> bytes) const {
  const auto [at, length] = chunk_of(their_cut_, chunk);
  if (length == 0 || bytes.size() != chunk_size(at, length, their_cut_.encoding, their_numeric_))
    return false;
  if (floats()) return true;
  bool sound = true;
  std::size_t position = 1;
  for (Slices slice = slices(at, length); slice.left(); slice.next()) {
    const auto [exponent, fraction] = lead_of_theirs(bytes.data() + position);
    const Scale& known = *slice.scale;
    sound =
        sound && std::abs(fraction) <= Model::kMostFraction && lattice::within_reach(exponent) == exponent;
    if (known.theirs != kUnheard)
      sound = sound && known.theirs == exponent && known.their_fraction == fraction;
    position += part_size(slice, their_cut_.encoding, their_numeric_);
  }
  return sound;
}

void Snapshots::read(std::uint16_t chunk, std::span<const std::byte> bytes) {
  const auto [at, length] = chunk_of(their_cut_, chunk);
  const Encoding encoding = their_cut_.encoding;
  if (!plain()) bytes = bytes.subspan(1);
  if (floats()) {
    if (at == summed_) {
      checksums_.theirs = numeric::crc32c(bytes, checksums_.theirs);
      summed_ += static_cast<std::uint32_t>(length);
    }
    std::memcpy(theirs_as<float>().data() + at, bytes.data(), bytes.size());
    return;
  }
  for (Slices slice = slices(at, length); slice.left(); slice.next()) {
    const auto [exponent, fraction] = lead_of_theirs(bytes.data());
    slice.scale->theirs = static_cast<std::int16_t>(exponent);
    slice.scale->their_fraction = static_cast<std::int8_t>(fraction);
    const std::size_t size = part_size(slice, encoding, their_numeric_);
    const std::size_t before = lead(encoding, their_numeric_);
    const auto points = bytes.subspan(before).first(size - before);
    if (encoding.bits == 0)
      read_raw(points.data(), raw_bits(their_numeric_), theirs(slice));
    else
      decode(slice, points);
    bytes = bytes.subspan(size);
  }
}

// Where both lattices are the same, our points are made once for the gap and both checksums, which go on from slice to
// slice as long as these arrive one after the other.
void Snapshots::decode(const Slice& slice, std::span<const std::byte> packed) {
  Scale& scale = *slice.scale;
  const lattice::Lattice grid = lattice_of(slice, scale.theirs);
  const int bits = width(slice, their_cut_.encoding.bits);
  std::uint32_t apart = 0;
  scale.met = scale.own == scale.theirs;
  if (scale.met) {
    const bool next = slice.at == summed_;
    apart = lattice::decode_gap(packed, own(slice), grid, bits, side_, theirs(slice),
                                next ? &checksums_ : nullptr);
    if (next) summed_ += static_cast<std::uint32_t>(slice.length);
  } else {
    apart = lattice::decode(packed, own(slice), grid, bits, theirs(slice));
  }
  scale.apart = std::max(scale.apart, static_cast<std::uint16_t>(apart));
}

// Their points of a part of a slice, though it be the gap that is in memory.
void Snapshots::points_of_theirs(const Slice& slice, Stretch part, Points points) const {
  const lattice::ConstPoints memory = theirs(slice).subspan(part.offset, part.length);
  if (!slice.scale->met) {
    std::copy(memory.begin(), memory.end(), points.begin());
    return;
  }
  lattice::quantise(own(slice).part(part.offset, part.length),
                    lattice_of(slice, slice.scale->own).from(part.offset), points);
  const std::int32_t sign = side_ == lattice::Side::initiator ? 1 : -1;
  for (std::size_t k = 0; k < points.size(); ++k) points[k] += sign * memory[k];
}

// --- checksums

std::uint32_t Snapshots::own_checksum() const {
  if (floats()) return numeric::crc32c(std::as_bytes(own_as<float>().subspan(own_summed_)), own_sum_);
  std::uint32_t crc = checksums_.own;
  for (Slices slice = slices(summed_, block_.length - summed_); slice.left(); slice.next())
    crc = lattice::checksum(own(slice), lattice_of(slice, slice.scale->own), crc);
  return crc;
}

std::uint32_t Snapshots::their_checksum() const {
  if (floats()) return numeric::crc32c(std::as_bytes(theirs_as<float>().subspan(summed_)), checksums_.theirs);
  std::uint32_t crc = checksums_.theirs;
  std::array<std::int32_t, lattice::kSlice> memory;
  for (Slices slice = slices(summed_, block_.length - summed_); slice.left(); slice.next()) {
    for (std::size_t k = 0; k < slice.length; k += lattice::kSlice) {
      const Stretch part = part_from(k, slice.length);
      const Points points = Points(memory).first(part.length);
      points_of_theirs(slice, part, points);
      crc = lattice::checksum(points, crc);
    }
  }
  return crc;
}

// --- the gap

void Snapshots::settle() {
  settled_ = true;
  if (has(Part::gate)) distance_ = measure();
  for (Slices slice = slices(); slice.left(); slice.next()) {
    const lattice::Lattice grid = lattice_of(slice, slice.scale->own);
    lattice::Gap gap{theirs(slice), slice.scale->own};
    if (!slice.scale->met)
      gap = lattice::difference(side_, own(slice), grid, theirs(slice), slice.scale->theirs);
    if (rotated()) gap = lattice::rotate_back(gap, signs(slice));
    slice.scale->gap = static_cast<std::int16_t>(gap.exponent);
  }
}

// Of their points and our values as they are: only one of the two has a lattice's noise, whose mean is known.
float Snapshots::measure() const {
  double squares = 0;
  std::array<std::int32_t, lattice::kSlice> memory;
  for (Slices slice = slices(); slice.left(); slice.next()) {
    const Values values = own(slice);
    const lattice::Lattice fine = lattice_of(slice, lattice::finest_exponent(values));
    for (std::size_t k = 0; k < slice.length; k += lattice::kSlice) {
      const Stretch part = part_from(k, slice.length);
      const Points points = Points(memory).first(part.length);
      points_of_theirs(slice, part, points);
      squares += square(lattice::difference(side_, values.part(part.offset, part.length),
                                            fine.from(part.offset), points, slice.scale->theirs));
    }
    squares -= static_cast<double>(slice.length) * their_noise(slice);
  }
  if (rotated()) squares *= 0x1p-10;  // rotated values are 32 times as large
  return static_cast<float>(std::sqrt(std::max(0.0, squares) / static_cast<double>(block_.length)));
}

// Of a value rounded by dither, in squares of real units: f (1 - f) of a step, f its fraction; 1/6 in the mean.
double Snapshots::their_noise(const Slice& slice) const {
  const Scale& scale = *slice.scale;
  const bool exact = their_cut_.encoding.bits == 0 ||
                     (their_numeric_ != Numeric::float32 && scale.theirs <= -scale.their_fraction);
  return exact ? 0 : power_of_two(2 * scale.theirs) / 6;
}

bool Snapshots::within(float limit) const {
  if (model_.integer()) return true;  // its types have limits of their own
  const float sign = side_ == lattice::Side::initiator ? 1.0F : -1.0F;
  std::uint32_t beyond = 0;  // a truth value would keep the loops from becoming vector code
  for (Slices slice = slices(); slice.left(); slice.next()) {
    const ConstParams x = model_.floats().subspan(block_.offset + slice.at).first(slice.length);
    const float step = step_of(settled_ ? slice.scale->gap : slice.scale->theirs);
    const Points points = theirs(slice);
    const auto judge = [&](auto value) {
      for (std::size_t k = 0; k < slice.length; ++k)
        beyond |= static_cast<std::uint32_t>(!(std::fabs(value(k)) <= limit));
    };
    if (settled_)
      judge([=](std::size_t k) { return x[k] + sign * (static_cast<float>(points[k]) * step); });
    else
      judge([=](std::size_t k) { return static_cast<float>(points[k]) * step; });
  }
  return beyond == 0;
}

std::size_t Snapshots::move(const Model& moved) const {
  const bool integers = their_numeric_ != Numeric::float32;
  return moved.visit([&]<typename T>(std::span<T> model) {
    std::size_t saturated = 0;
    for (Slices slice = slices(); slice.left(); slice.next()) {
      const std::span<T> x = model.subspan(block_.offset + slice.at).first(slice.length);
      const lattice::Coins coins = lattice::coins_of(offset_).from(slice.at);
      if constexpr (std::is_floating_point_v<T>) {
        if (integers)
          lattice::move(x, gap(slice), side_, {slice.scale->their_fraction, coins});
        else
          lattice::move(x, gap(slice), side_);
      } else {
        const int own_fraction = fraction(slice);
        const int coarser =
            integers ? std::min<int>(own_fraction, slice.scale->their_fraction) : own_fraction;
        saturated += lattice::move(x, own_fraction, gap(slice), side_, {coarser, coins});
      }
    }
    return saturated;
  });
}

std::size_t Snapshots::adopt(const Model& moved) const {
  return moved.visit([&]<typename T>(std::span<T> model) {
    std::size_t saturated = 0;
    for (Slices slice = slices(); slice.left(); slice.next()) {
      const std::span<T> x = model.subspan(block_.offset + slice.at).first(slice.length);
      if constexpr (std::is_floating_point_v<T>) {
        lattice::adopt(x, theirs(slice), slice.scale->theirs);
      } else {
        const lattice::Coins coins = lattice::coins_of(offset_).from(slice.at);
        saturated += lattice::adopt(x, fraction(slice), theirs(slice), slice.scale->theirs, coins);
      }
    }
    return saturated;
  });
}

// --- what is learned of distances

// Of models of which at least one is raw. Points are up to a step further apart than values are. It is taken off, but for a
// half.
lattice::Distance Snapshots::seen(const lattice::Gap& gap, int step) {
  const std::uint32_t half = 1U << std::clamp(step - gap.exponent, 0, 30);
  const std::uint32_t most = 2 * largest(gap.values);
  return {std::max(most - std::min(most, 2 * half), half), gap.exponent - 1};
}

void Snapshots::observe(Steps& steps) {
  steps.next_block();
  if (floats()) return observe_floats(steps);
  const Encoding heard = their_cut_.encoding;
  // Whether the points that were read tell distances of what the agent sends: rotated, or not.
  const bool told = heard.bits != 0 && heard.rotated == steps.rotates();
  for (Slices slice = slices(); slice.left(); slice.next()) {
    const std::size_t offset = block_.offset + slice.at;
    const lattice::Distance met{slice.scale->apart, slice.scale->theirs};
    if (told) {
      steps.observe(slice.tensor, offset, met, distant(slice, steps));
      continue;
    }
    lattice::Gap apart = gap(slice);
    if (steps.rotates()) {
      constexpr int kExact = 20;  // bits that can be rotated without overflow
      const int shift = excess(largest(apart.values), kExact);
      apart.exponent += shift;
      for (std::int32_t& value : apart.values) value >>= shift;
      lattice::rotate(apart.values, signs(slice));
    }
    steps.observe(slice.tensor, offset, seen(apart, std::max(slice.scale->own, slice.scale->theirs)), false);
  }
}

// Further than points on our lattice, of as few bits as a block is first sent in, would have reached.
bool Snapshots::distant(const Slice& slice, const Steps& steps) const {
  if (own_cut_.encoding.bits == 0) return false;
  const int reach = width(slice, steps.base()) - 1 + slice.scale->own - slice.scale->theirs;
  return static_cast<int>(std::bit_width(std::uint32_t{slice.scale->apart})) > reach;
}

void Snapshots::observe_floats(Steps& steps) {
  for (Slices slice = slices(); slice.left(); slice.next()) {
    const Params own = own_as<float>().subspan(slice.at).first(slice.length);
    const Params theirs = theirs_as<float>().subspan(slice.at).first(slice.length);
    if (steps.rotates()) {
      lattice::rotate(own, signs(slice));
      lattice::rotate(theirs, signs(slice));
    }
    steps.observe(slice.tensor, block_.offset + slice.at,
                  lattice::furthest_apart(Values(ConstParams(own)), Values(ConstParams(theirs))), false);
  }
}

}  // namespace popsgd
