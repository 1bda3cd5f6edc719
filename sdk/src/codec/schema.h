// What flatc makes of sdk/schema/popsgd.fbs, kept to ourselves.
#pragma once

// A peer may send anything: what FlatBuffers would assert, the verifier and the codec check.
#define FLATBUFFERS_ASSERT(condition) static_cast<void>(0)

// FlatBuffers is inline functions; under their own names they would be merged by the linker with those of
// another version that the application uses.
#define flatbuffers popsgd_flatbuffers
#include <schema/popsgd_generated.h>
#undef flatbuffers
