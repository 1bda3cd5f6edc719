# 32-bit Arm with Linux, from the Raspberry Pi 2 on.
#   cmake --toolchain toolchains/armv7-linux-gnueabihf.cmake
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(machine -mcpu=cortex-a7 -mfpu=neon-vfpv4)
set(emulated_core cortex-a7)
set(toolchain armv7-linux-gnueabihf)
set(triple arm-linux-gnueabihf)
set(emulator qemu-arm)
include(${CMAKE_CURRENT_LIST_DIR}/linux-arm.cmake)
