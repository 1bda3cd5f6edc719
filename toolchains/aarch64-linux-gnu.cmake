# 64-bit Arm with Linux. Without a BOARD, for all those below: ARMv8-A with its instruction for CRC-32C.
#   cmake --toolchain toolchains/aarch64-linux-gnu.cmake [-D BOARD=pi3|pi4|pi5|jetson-nano|jetson-xavier|jetson-orin]
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(BOARD any CACHE STRING "The board: any, pi3, pi4, pi5, jetson-nano, jetson-xavier or jetson-orin")
set_property(CACHE BOARD PROPERTY STRINGS any pi3 pi4 pi5 jetson-nano jetson-xavier jetson-orin)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES BOARD)

set(machine_any -march=armv8-a+crc)
set(machine_pi3 -mcpu=cortex-a53)
set(machine_pi4 -mcpu=cortex-a72)
set(machine_pi5 -mcpu=cortex-a76)
set(machine_jetson-nano -mcpu=cortex-a57)
set(machine_jetson-xavier -march=armv8.2-a)  # NVIDIA's Carmel, of which gcc 12 does not know
set(machine_jetson-orin -mcpu=cortex-a78ae)
if(NOT DEFINED machine_${BOARD})
  message(FATAL_ERROR "BOARD is \"${BOARD}\"; it has to be any, pi3, pi4, pi5, jetson-nano, jetson-xavier or jetson-orin")
endif()
set(machine ${machine_${BOARD}})

# The core itself, or the one of QEMU that has its instructions.
set(core_any cortex-a53)
set(core_pi3 cortex-a53)
set(core_pi4 cortex-a72)
set(core_pi5 cortex-a76)
set(core_jetson-nano cortex-a57)
set(core_jetson-xavier cortex-a76)
set(core_jetson-orin cortex-a76)
set(emulated_core ${core_${BOARD}})

set(toolchain aarch64-linux-gnu)
set(triple aarch64-linux-gnu)
set(emulator qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/linux-arm.cmake)
