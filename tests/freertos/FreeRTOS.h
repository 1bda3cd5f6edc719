/* What platforms/freertos uses of FreeRTOS 10.4's public API, declared and no more: so that it is compiled where there is no FreeRTOS. */
#pragma once

#include "FreeRTOSConfig.h"

#include <stddef.h>
#include <stdint.h>

typedef uint32_t TickType_t;
typedef long BaseType_t;
typedef unsigned long UBaseType_t;
typedef uint32_t StackType_t;
#define configSTACK_DEPTH_TYPE uint16_t
#define portTICK_PERIOD_MS ((TickType_t)1000 / configTICK_RATE_HZ)
#define portYIELD_FROM_ISR(woken) ((void)(woken))
#define pdFALSE ((BaseType_t)0)

typedef struct {
  void* opaque[20];
} StaticTask_t;
typedef struct {
  void* opaque[8];
} StaticStreamBuffer_t;
