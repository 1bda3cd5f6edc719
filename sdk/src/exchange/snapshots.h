// Both snapshots of a block: as they cross, as they lie in memory, and what is made of them.
//
//   own       as it is in the model, in its own unit, rotated if need be; its points are made anew wherever they are needed
//   theirs    their points, as they are decoded; at last the gap between both, and at once where both lattices are the same
//
// Two float models of which the initiator sends raw exchange floats, as they are in memory. All others exchange points,
// of which the raw ones are not reduced. A chunk is then
//
//   encoding   1 byte    bits, rotation, and whether the partner's are wanted again: the same in all chunks
//   and for each tensor it overlaps
//   exponent   1 byte    of the lattice; not with an integer model's raw points: there it is minus the fraction
//   fraction   1 byte    of the integer model that sends
//   points               bits a parameter, or two more: see lattice::bits_of(); raw: 32, 16 or 8
//
// Two float agents of which neither quantises leave the first byte away.
#pragma once

#include "exchange/steps.h"
#include "exchange/tensors.h"

#include <popsgd/lattice/encoding.h>
#include <popsgd/lattice/gap.h>
#include <popsgd/lattice/points.h>
#include <popsgd/lattice/rotation.h>
#include <popsgd/model.h>
#include <popsgd/parts.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace popsgd {

/// Of a slice: the exponents of both lattices, and of the gap.
struct Scale {
  std::int16_t own = 0;
  std::int16_t theirs = 0;
  std::int16_t gap = 0;
  std::int8_t their_fraction = 0;  ///< if they are integers
  bool met = false;                ///< on one lattice: what is in memory for their points is the gap
  std::uint16_t apart = 0;         ///< their points and ours, at most, in their steps, if they are not raw
};

class Snapshots {
 public:
  /// model: as others may know it. Memory: of `own` and `theirs` four bytes a parameter of a block, of scales one for each tensor of a block.
  Snapshots(const Model& model, std::span<std::byte> own, std::span<std::byte> theirs,
            std::span<Scale> scales)
      : model_(model), own_memory_(own.data()), their_memory_(theirs.data()), scales_(scales.data()) {}

  [[nodiscard]] Numeric numeric() const { return model_.numeric(); }
  [[nodiscard]] std::size_t parameters() const { return model_.size(); }
  /// Of the model: see Tensors.
  [[nodiscard]] std::uint32_t layout() const { return Tensors(model_).fingerprint(); }

  /// An exchange begins. plain: of two float agents, neither of which quantises.
  void connect(lattice::Side side, Numeric theirs, bool plain, std::uint16_t mtu);
  /// Parameters that a chunk holds at least; longer blocks than such chunks can be numbered for must not be agreed on.
  [[nodiscard]] static std::size_t least_chunk(std::uint16_t mtu, bool plain);

  /// The model's block as it is now. `offset` names block and attempt: of dither, coins and signs.
  void take(Stretch block, std::uint32_t offset);
  /// How it is going to cross; exponents from `steps`. A responder must have heard before. Again: of the same points, more
  /// bits. Returns the chunks.
  std::uint16_t speak(Encoding encoding, const Steps& steps);
  /// How theirs is going to cross. Returns the chunks.
  std::uint16_t hear(Encoding encoding);
  /// Theirs were read wrong: they are going to cross again.
  void forget_theirs() { heard_ = settled_ = false; }
  /// Whether all steps of the block are known.
  [[nodiscard]] bool known(const Steps& steps) const;
  [[nodiscard]] bool heard() const { return heard_; }
  [[nodiscard]] Encoding spoken() const { return own_cut_.encoding; }
  [[nodiscard]] Encoding heard_encoding() const { return their_cut_.encoding; }

  /// The encoding of a chunk that has arrived; none if it is malformed.
  [[nodiscard]] std::optional<Encoding> encoding_of(std::span<const std::byte> chunk) const;
  /// A chunk of ours, in `room` or as it lies in memory.
  [[nodiscard]] std::span<const std::byte> write(std::uint16_t chunk, std::span<std::byte> room);
  /// Whether the bytes may be this chunk of theirs, and do not contradict an earlier one.
  [[nodiscard]] bool fits(std::uint16_t chunk, std::span<const std::byte> bytes) const;
  /// One that fits.
  void read(std::uint16_t chunk, std::span<const std::byte> bytes);

  /// CRC-32C of floats, or of the points before they are reduced.
  [[nodiscard]] std::uint32_t own_checksum() const;
  [[nodiscard]] std::uint32_t their_checksum() const;

  /// Whether both are floats as they are.
  [[nodiscard]] bool floats() const { return held(Numeric::float32) && floats_; }
  [[nodiscard]] ConstParams own_floats() const { return own_as<float>(); }
  [[nodiscard]] ConstParams their_floats() const { return theirs_as<float>(); }

  // --- of points

  /// Their points become the gap.
  void settle();
  /// Between both models before that, root mean square in real units, without the bias of their lattice.
  [[nodiscard]] float distance() const { return distance_; }
  /// Whether none of their values is beyond the limit, and none of a float model's own is NaN. After settle(), or
  /// without it if their points are to be adopted.
  [[nodiscard]] bool within(float limit) const;
  /// A model moves by half of the gap. Returns how many parameters stopped at their type's range.
  std::size_t move(const Model& moved) const;
  /// A model becomes their points, which are not rotated.
  std::size_t adopt(const Model& moved) const;

  /// How far apart both models are, after a move of either kind; spoils what is in memory.
  void observe(Steps& steps);

 private:
  struct Cut {
    std::uint32_t chunk = 1;  ///< parameters
    std::uint16_t chunks = 1;
    Encoding encoding{};
  };
  /// What leads the points of a slice.
  struct Lead {
    int exponent = 0;
    int fraction = 0;
  };
  struct Slice {
    std::size_t tensor;
    std::size_t at;  ///< in the block
    std::size_t length;
    Scale* scale;
  };
  /// Of parameters [at, at + length) of the block, what lies in one tensor after the other:
  ///
  ///     for (Slices slice = slices(at, length); slice.left(); slice.next())
  class Slices : public Slice {
   public:
    Slices(const Snapshots& of, std::size_t begin, std::size_t count)
        : Slice{0, begin, 0, nullptr}, of_(of), rest_(count) {
      next();
    }
    [[nodiscard]] bool left() const { return length > 0; }
    void next();

   private:
    const Snapshots& of_;
    std::size_t rest_;     // of the parameters, from this slice on
    std::size_t end_ = 0;  // of this slice's tensor and those before it, in the model; 0: at none yet
  };
  [[nodiscard]] Slices slices(std::size_t at, std::size_t length) const { return {*this, at, length}; }
  [[nodiscard]] Slices slices() const { return slices(0, block_.length); }

  // The block in memory, as what take() and hear() have made of it.
  [[nodiscard]] bool plain() const { return held(Numeric::float32) && plain_; }
  [[nodiscard]] bool rotated() const { return has(Part::rotation) && own_cut_.encoding.rotated; }
  template <typename T>
  [[nodiscard]] std::span<T> own_as() const {
    return {reinterpret_cast<T*>(own_memory_), block_.length};
  }
  template <typename T>
  [[nodiscard]] std::span<T> theirs_as() const {
    return {reinterpret_cast<T*>(their_memory_), block_.length};
  }
  [[nodiscard]] int fraction(const Slice& slice) const { return Tensors(model_).fraction(slice.tensor); }
  [[nodiscard]] lattice::Values own(const Slice& slice) const;
  [[nodiscard]] lattice::Lattice lattice_of(const Slice& slice, int exponent) const {
    return lattice::Lattice{exponent, lattice::dither_of(offset_)}.from(slice.at);
  }
  [[nodiscard]] lattice::Points theirs(const Slice& slice) const {
    return theirs_as<std::int32_t>().subspan(slice.at).first(slice.length);
  }
  [[nodiscard]] lattice::Gap gap(const Slice& slice) const { return {theirs(slice), slice.scale->gap}; }
  [[nodiscard]] lattice::Signs signs(const Slice& slice) const;
  [[nodiscard]] int own_exponent(const Slice& slice, Encoding encoding, const Steps& steps) const;

  [[nodiscard]] Lead lead_of_theirs(const std::byte* bytes) const;
  [[nodiscard]] std::size_t lead(Encoding encoding, Numeric sender) const;
  [[nodiscard]] int width(const Slice& slice, int bits) const;
  [[nodiscard]] std::size_t part_size(const Slice& slice, Encoding encoding, Numeric sender) const;
  [[nodiscard]] std::size_t chunk_size(std::size_t at, std::size_t length, Encoding encoding,
                                       Numeric sender) const;
  [[nodiscard]] Cut cut(Encoding encoding, Numeric sender) const;
  [[nodiscard]] Stretch chunk_of(const Cut& cut, std::uint16_t chunk) const;
  void rotate_own();
  void decode(const Slice& slice, std::span<const std::byte> packed);
  void points_of_theirs(const Slice& slice, Stretch part, lattice::Points points) const;
  [[nodiscard]] float measure() const;
  [[nodiscard]] double their_noise(const Slice& slice) const;
  [[nodiscard]] static lattice::Distance seen(const lattice::Gap& gap, int step);
  [[nodiscard]] bool distant(const Slice& slice, const Steps& steps) const;
  void observe_floats(Steps& steps);

  const Model& model_;
  std::byte* own_memory_;
  std::byte* their_memory_;
  Scale* scales_;

  lattice::Side side_ = lattice::Side::initiator;
  Numeric their_numeric_ = Numeric::float32;
  bool plain_ = true;
  bool floats_ = true;
  bool heard_ = false;
  bool settled_ = false;
  std::uint16_t room_ = 0;  // bytes of data in a frame

  Stretch block_{};
  std::uint32_t offset_ = 0;
  std::uint32_t first_tensor_ = 0;
  float distance_ = 0;
  std::uint32_t summed_ = 0;        // so many parameters of theirs have arrived one after the other,
  lattice::Checksums checksums_{};  // and these are their checksums, and those of ours: points
  std::uint32_t own_summed_ = 0;    // so many floats of ours have left one after the other,
  std::uint32_t own_sum_ = 0;       // and this is their checksum
  Cut own_cut_{};
  Cut their_cut_{};
};

}  // namespace popsgd
