/* See FreeRTOS.h beside it. */
#pragma once

#include "FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif
typedef struct tskTaskControlBlock* TaskHandle_t;
typedef void (*TaskFunction_t)(void*);
TickType_t xTaskGetTickCount(void);
TaskHandle_t xTaskCreateStatic(TaskFunction_t code, const char* name, uint32_t depth, void* parameters,
                               UBaseType_t priority, StackType_t* stack, StaticTask_t* task);
void vTaskStartScheduler(void);
#ifdef __cplusplus
}
#endif
