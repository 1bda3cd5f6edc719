// Dense networks in fixed point: the models of popsgd/c/network.h, trained by integers alone. See popsgd/fixed_network.h.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/fixed.h>
#include <popsgd/c/network.h>
#include <popsgd/c/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The scales of one layer as numbers of binary places, 0 to 20: a value is integer * 2^-fraction.
typedef struct popsgd_layer_format {
  int8_t weights;
  int8_t biases;
  int8_t activations;  ///< of what the layer puts out; the last layer's is not used
} popsgd_layer_format;

/// A network of integers, as a description; every function that takes one checks it.
typedef struct popsgd_fixed_network {
  const uint32_t* widths;              ///< inputs, hidden widths, outputs; all >= 1
  size_t width_count;                  ///< >= 2
  const popsgd_layer_format* formats;  ///< one a layer: width_count - 1
  popsgd_loss loss;
} popsgd_fixed_network;

typedef struct popsgd_fixed_evaluation {
  int64_t loss;        ///< sum over rows, in units of 2^-16
  size_t correct;      ///< rows whose most likely class is the label (0 without labels)
  uint64_t saturated;  ///< values cut off at the ends of their types
} popsgd_fixed_evaluation;

#define POPSGD_FIXED_ROWS 8192  ///< most rows of a batch

/// How many it has; 0: there is no such network (see popsgd_network_parameters(); or a format is out of its range).
size_t popsgd_fixed_network_parameters(const popsgd_fixed_network* network);

/// Writes each layer's weights, then its biases: 2 (width_count - 1) tensors. POPSGD_NULL_POINTER; POPSGD_INVALID_SIZE,
/// POPSGD_UNKNOWN_FORMAT: no such network; POPSGD_SHAPE_MISMATCH: `tensors` is another number.
popsgd_status popsgd_fixed_network_layout(const popsgd_fixed_network* network, popsgd_tensor* layout,
                                          size_t tensors);

// The functions of each of three kinds: weights and values between layers (activations) of 16 bits; weights of 8 bits
// and activations of 16; both of 8. Features are always of 16. A program links only those it calls.

/// Writes formats that suit features of about unit variance, width_count - 1 of them. POPSGD_NULL_POINTER, POPSGD_INVALID_SIZE.
popsgd_status popsgd_int16_network_choose_formats(const uint32_t* widths, size_t width_count,
                                                  popsgd_layer_format* formats);

/// 32-bit words of scratch for batches of up to `rows`; 0: no such network, or more than POPSGD_FIXED_ROWS.
size_t popsgd_int16_network_scratch(const popsgd_fixed_network* network, size_t rows);

/// Whether a batch is one for this network: as popsgd_network_check(), and POPSGD_UNKNOWN_FORMAT for a fraction outside 0 to 20.
popsgd_status popsgd_int16_network_check(const popsgd_fixed_network* network,
                                         const popsgd_fixed_batch* batch);

/// What popsgd_network_initialise() makes of the same seed, rounded.
popsgd_status popsgd_int16_network_initialise(const popsgd_fixed_network* network, int16_t* model,
                                              uint64_t seed);

/// The last layer's values for every row, rows x outputs in units of 2^-16: `*values` points to them, in `scratch`. Errors as
/// popsgd_network_forward(); POPSGD_UNKNOWN_FORMAT.
popsgd_status popsgd_int16_network_forward(const popsgd_fixed_network* network, const int16_t* model,
                                           const popsgd_fixed_batch* batch, int32_t* scratch,
                                           size_t scratch_count, const int32_t** values);

/// How well the model does on a batch. Errors: popsgd_int16_network_check()'s and POPSGD_SCRATCH_TOO_SMALL.
popsgd_status popsgd_int16_network_evaluate(const popsgd_fixed_network* network, const int16_t* model,
                                            const popsgd_fixed_batch* batch, int32_t* scratch,
                                            size_t scratch_count, popsgd_fixed_evaluation* result);

/// This network as a gradient for batches of up to `rows`; refers to `network`. Of a batch of more rows, or one that
/// popsgd_int16_network_check() refuses, nothing is learned and the loss is the largest. Of no such network it has no function.
popsgd_int16_gradient popsgd_int16_network_gradient(const popsgd_fixed_network* network, size_t rows);

/// Weights of 8 bits, activations of 16.
popsgd_status popsgd_int8_network_choose_formats(const uint32_t* widths, size_t width_count,
                                                 popsgd_layer_format* formats);
size_t popsgd_int8_network_scratch(const popsgd_fixed_network* network, size_t rows);
popsgd_status popsgd_int8_network_check(const popsgd_fixed_network* network, const popsgd_fixed_batch* batch);
popsgd_status popsgd_int8_network_initialise(const popsgd_fixed_network* network, int8_t* model,
                                             uint64_t seed);
popsgd_status popsgd_int8_network_forward(const popsgd_fixed_network* network, const int8_t* model,
                                          const popsgd_fixed_batch* batch, int32_t* scratch,
                                          size_t scratch_count, const int32_t** values);
popsgd_status popsgd_int8_network_evaluate(const popsgd_fixed_network* network, const int8_t* model,
                                           const popsgd_fixed_batch* batch, int32_t* scratch,
                                           size_t scratch_count, popsgd_fixed_evaluation* result);
popsgd_int8_gradient popsgd_int8_network_gradient(const popsgd_fixed_network* network, size_t rows);

/// Weights and activations of 8 bits.
popsgd_status popsgd_int8x8_network_choose_formats(const uint32_t* widths, size_t width_count,
                                                   popsgd_layer_format* formats);
size_t popsgd_int8x8_network_scratch(const popsgd_fixed_network* network, size_t rows);
popsgd_status popsgd_int8x8_network_check(const popsgd_fixed_network* network,
                                          const popsgd_fixed_batch* batch);
popsgd_status popsgd_int8x8_network_initialise(const popsgd_fixed_network* network, int8_t* model,
                                               uint64_t seed);
popsgd_status popsgd_int8x8_network_forward(const popsgd_fixed_network* network, const int8_t* model,
                                            const popsgd_fixed_batch* batch, int32_t* scratch,
                                            size_t scratch_count, const int32_t** values);
popsgd_status popsgd_int8x8_network_evaluate(const popsgd_fixed_network* network, const int8_t* model,
                                             const popsgd_fixed_batch* batch, int32_t* scratch,
                                             size_t scratch_count, popsgd_fixed_evaluation* result);
popsgd_int8_gradient popsgd_int8x8_network_gradient(const popsgd_fixed_network* network, size_t rows);

#ifdef __cplusplus
}
#endif
// NOLINTEND
