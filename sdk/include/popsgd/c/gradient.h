// A model of floats and how it learns.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a parameter is.
typedef uint8_t popsgd_numeric;
enum { POPSGD_FLOAT32 = 0, POPSGD_INT16 = 1, POPSGD_INT8 = 2 };

/// A stretch of parameters with one scale: the value of integer w is w * 2^-fraction. A model's layout is an array of these, one
/// after the other, together as long as the model. Of a float model's layout only the lengths count.
typedef struct popsgd_tensor {
  uint32_t length;
  int8_t fraction;  ///< -31 to 31
} popsgd_tensor;

/// The samples of one stochastic gradient; the caller's memory.
typedef struct popsgd_batch {
  size_t rows;             ///< >= 1
  const float* features;   ///< rows x inputs, row-major
  const uint32_t* labels;  ///< rows class numbers (classification), or null
  const float* targets;    ///< rows x outputs (regression), or null
} popsgd_batch;

/// The batch of the next local step, in the source's own memory, valid until the next call. Null: there is nothing to
/// learn from now; the step's gradient is then zero, and its loss is not a number.
typedef struct popsgd_batch_source {
  const popsgd_batch* (*function)(void* context);
  void* context;
} popsgd_batch_source;

/// into <- keep * into + scale * (the mean gradient at `at` over the batch's rows); returns the mean loss at `at`. With
/// keep = 0 it must not read `into`. `at` and `into` have popsgd_gradient's `parameters` floats, `scratch` its `scratch`, which is
/// `scratch_count`. The batch is never null.
typedef float (*popsgd_gradient_function)(const void* context, const float* at, const popsgd_batch* batch,
                                          float keep, float scale, float* into, float* scratch,
                                          size_t scratch_count);

/// What a float model is to the SDK. popsgd_network_gradient() makes one; a model of one's own sits in the same place.
typedef struct popsgd_gradient {
  popsgd_gradient_function function;
  const void* context;  ///< handed to `function`; must outlive the agent
  size_t parameters;
  size_t scratch;  ///< floats it needs for the largest batch
  bool in_place;   ///< `into` may be `at` itself: then a step takes no memory for a gradient
} popsgd_gradient;

/// A float model with all that its local steps need. All memory is the caller's and must outlive the agent, the struct itself
/// need not.
typedef struct popsgd_learner {
  float* model;                 ///< gradient.parameters of them
  const popsgd_tensor* layout;  ///< of the model, where it meets integer models; or null
  size_t tensors;               ///< of the layout; 0 without one
  popsgd_gradient gradient;
  popsgd_batch_source source;
  float* velocity;  ///< with momentum: as long as the model, zeros; else not used
  float* scratch;   ///< null if none is needed
  size_t
      scratch_count;  ///< floats: gradient.scratch, and gradient.parameters more if neither in_place nor with momentum
} popsgd_learner;

#ifdef __cplusplus
}
#endif
// NOLINTEND
