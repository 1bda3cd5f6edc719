// Models of integers and how they learn, without a single float. See popsgd/fixed.h.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/gradient.h>
#include <popsgd/c/random.h>
#include <popsgd/c/status.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The samples of one stochastic gradient; the caller's memory.
typedef struct popsgd_fixed_batch {
  size_t rows;              ///< >= 1
  const int16_t* features;  ///< rows x inputs, row-major, in units of 2^-fraction
  const uint32_t* labels;   ///< rows class numbers (classification), or null
  const int16_t* targets;   ///< rows x outputs (regression) in units of 2^-target_fraction, or null
  int8_t fraction;
  int8_t target_fraction;
} popsgd_fixed_batch;

/// As popsgd_batch_source. Null: there is nothing to learn from now; the model stays, and the loss is the largest.
typedef struct popsgd_fixed_batch_source {
  const popsgd_fixed_batch* (*function)(void* context);
  void* context;
} popsgd_fixed_batch_source;

/// A step size: mantissa * 2^-shift.
typedef struct popsgd_fixed_rate {
  uint32_t mantissa;
  int8_t shift;  ///< 0 to 127
} popsgd_fixed_rate;

/// `eta` to 32 significant bits. What is negative or not a number gives 0, what is too large the largest. A device without
/// floating point computes its rates beforehand: 0.1 is {3435973836, 35}.
popsgd_fixed_rate popsgd_fixed_rate_of(double eta);

/// The shapes of step-size schedules, of a count of steps t.
typedef uint8_t popsgd_shape;
enum {
  POPSGD_CONSTANT = 0,      ///< eta
  POPSGD_INVERSE = 1,       ///< eta / (1 + t / horizon)
  POPSGD_INVERSE_SQRT = 2,  ///< eta / sqrt(1 + t / horizon)
  POPSGD_PIECEWISE = 3  ///< eta times the factor of the last breakpoint at or before t, 1 before the first
};
#define POPSGD_BREAKPOINTS 8  ///< most of a schedule

typedef struct popsgd_fixed_breakpoint {
  uint32_t steps;            ///< from this count on,
  popsgd_fixed_rate factor;  ///< the rate is eta times this
} popsgd_fixed_breakpoint;

/// The step size of an integer model.
typedef struct popsgd_fixed_schedule {
  popsgd_shape shape;
  popsgd_fixed_rate eta;  ///< the step size at t = 0
  uint32_t horizon;       ///< steps over which the inverse shapes decay; not 0
  size_t breakpoint_count;
  popsgd_fixed_breakpoint breakpoints[POPSGD_BREAKPOINTS];  ///< the first `breakpoint_count`, ascending
  popsgd_fixed_rate settle;  ///< an agent whose step size is below it averages without stepping; 0: never
} popsgd_fixed_schedule;

/// The defaults of popsgd::FixedSchedule: constant, eta 0.1. Nothing happens to a null pointer.
void popsgd_fixed_schedule_init(popsgd_fixed_schedule* schedule);

/// One step of SGD, in place:  x <- round(x - rate * (the mean gradient at x over the batch's rows)), rounded stochastically
/// by numbers from `noise`. Returns the mean loss before it in Q15.16 (units of 2^-16), 2^31 - 1 for anything larger, and adds
/// to `saturated` how many values have been cut off at the ends of their types. The batch is never null.
typedef int32_t (*popsgd_int16_gradient_function)(const void* context, int16_t* x,
                                                  const popsgd_fixed_batch* batch, popsgd_fixed_rate rate,
                                                  popsgd_random* noise, int32_t* scratch,
                                                  size_t scratch_count, uint64_t* saturated);
typedef int32_t (*popsgd_int8_gradient_function)(const void* context, int8_t* x,
                                                 const popsgd_fixed_batch* batch, popsgd_fixed_rate rate,
                                                 popsgd_random* noise, int32_t* scratch, size_t scratch_count,
                                                 uint64_t* saturated);

/// What an integer model is to the SDK: a network of popsgd/c/fixed_network.h makes one, or a model of one's own.
typedef struct popsgd_int16_gradient {
  popsgd_int16_gradient_function function;
  const void* context;  ///< handed to `function`; must outlive the agent
  size_t parameters;
  size_t scratch;  ///< 32-bit words it needs for the largest batch
} popsgd_int16_gradient;
typedef struct popsgd_int8_gradient {
  popsgd_int8_gradient_function function;
  const void* context;
  size_t parameters;
  size_t scratch;
} popsgd_int8_gradient;

/// An integer model with all that its local steps need. All memory is the caller's and must outlive the agent, the struct
/// itself need not.
typedef struct popsgd_int16_learner {
  int16_t* model;               ///< gradient.parameters of them
  const popsgd_tensor* layout;  ///< its scales
  size_t tensors;               ///< of the layout, >= 1
  popsgd_int16_gradient gradient;
  popsgd_fixed_batch_source source;
  popsgd_fixed_schedule schedule;
  int32_t* scratch;      ///< may be null if none is needed
  size_t scratch_count;  ///< 32-bit words, gradient.scratch or more
} popsgd_int16_learner;
typedef struct popsgd_int8_learner {
  int8_t* model;
  const popsgd_tensor* layout;
  size_t tensors;
  popsgd_int8_gradient gradient;
  popsgd_fixed_batch_source source;
  popsgd_fixed_schedule schedule;
  int32_t* scratch;
  size_t scratch_count;
} popsgd_int8_learner;

#ifdef __cplusplus
}
#endif
// NOLINTEND
