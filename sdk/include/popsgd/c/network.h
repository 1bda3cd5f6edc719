// Dense networks in float: linear, logistic and softmax regression, and the multi-layer perceptron.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/gradient.h>
#include <popsgd/c/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What the last layer's values z are compared with, for one row.
typedef uint8_t popsgd_loss;
enum {
  POPSGD_SQUARED = 0,       ///< 1/2 |z - target|^2; with labels the target is the unit vector of the class
  POPSGD_LOGISTIC = 1,      ///< log(1 + exp(-s z)), one output, s = +1 for label 1 and -1 for label 0
  POPSGD_CROSS_ENTROPY = 2  ///< -log softmax(z)[label]
};

/// Fully connected layers with ReLU between them: popsgd::Network. A description, which may lie in flash; every function
/// that takes one checks it.
///
///     static const uint32_t widths[] = {64, 10};
///     static const popsgd_network softmax = {widths, 2, POPSGD_CROSS_ENTROPY};
///
/// Parameters, layer after layer: weights (outputs x inputs, row-major), then biases (outputs).
typedef struct popsgd_network {
  const uint32_t* widths;  ///< inputs, hidden widths, outputs; all >= 1
  size_t width_count;      ///< >= 2
  popsgd_loss loss;
} popsgd_network;

typedef struct popsgd_evaluation {
  double loss;     ///< sum over rows
  size_t correct;  ///< rows whose most likely class is the label (0 without labels)
} popsgd_evaluation;

/// How many it has; 0: there is no such network (a width or pointer is 0, a logistic loss with other than one output).
size_t popsgd_network_parameters(const popsgd_network* network);

/// Floats of scratch for batches of up to `rows`; 0: no such network, or no memory is large enough.
size_t popsgd_network_scratch(const popsgd_network* network, size_t rows);

/// Whether a batch is one for this network: POPSGD_OK, POPSGD_NULL_POINTER, POPSGD_INVALID_SIZE (the network is none),
/// POPSGD_SHAPE_MISMATCH (no rows, or neither labels nor targets that its loss knows), POPSGD_LABEL_OUT_OF_RANGE.
popsgd_status popsgd_network_check(const popsgd_network* network, const popsgd_batch* batch);

/// The model to begin with: weights uniform in +-sqrt(6 / inputs of the layer) before a ReLU, else zero; biases zero.
/// `model` as long as popsgd_network_parameters(). POPSGD_NULL_POINTER, POPSGD_INVALID_SIZE.
popsgd_status popsgd_network_initialise(const popsgd_network* network, float* model, uint64_t seed);

/// The last layer's values for every row, rows x outputs: `*values` points to them, in `scratch`. Needs neither labels nor
/// targets. POPSGD_SCRATCH_TOO_SMALL: see popsgd_network_scratch(); POPSGD_NULL_POINTER, POPSGD_INVALID_SIZE,
/// POPSGD_SHAPE_MISMATCH.
popsgd_status popsgd_network_forward(const popsgd_network* network, const float* model,
                                     const popsgd_batch* batch, float* scratch, size_t scratch_count,
                                     const float** values);

/// How well the model does on a batch. Errors: popsgd_network_check()'s and POPSGD_SCRATCH_TOO_SMALL.
popsgd_status popsgd_network_evaluate(const popsgd_network* network, const float* model,
                                      const popsgd_batch* batch, float* scratch, size_t scratch_count,
                                      popsgd_evaluation* result);

/// This network as a gradient for batches of up to `rows`; refers to `network`. A batch of more rows, or one that
/// popsgd_network_check() refuses, has the gradient zero and a loss that is not a number. Of no such network it has no function.
popsgd_gradient popsgd_network_gradient(const popsgd_network* network, size_t rows);

#ifdef __cplusplus
}
#endif
// NOLINTEND
