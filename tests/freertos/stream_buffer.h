/* See FreeRTOS.h beside it. */
#pragma once

#include "FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif
typedef struct StreamBufferDef_t* StreamBufferHandle_t;
StreamBufferHandle_t xStreamBufferCreateStatic(size_t size, size_t trigger, uint8_t* storage,
                                               StaticStreamBuffer_t* buffer);
size_t xStreamBufferSendFromISR(StreamBufferHandle_t buffer, const void* data, size_t size,
                                BaseType_t* woken);
size_t xStreamBufferReceive(StreamBufferHandle_t buffer, void* data, size_t size, TickType_t wait);
#ifdef __cplusplus
}
#endif
