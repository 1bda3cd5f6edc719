# Raspberry Pi 1 and Zero. Debian's libraries for hard floats are of ARMv7, so these are those of soft ones with the
# floating-point unit in use all the same; and they are inside the program, as a Pi has those for hard floats.
#   cmake --toolchain toolchains/armv6-linux-gnueabi.cmake
set(CMAKE_SYSTEM_PROCESSOR armv6l)
set(machine -mcpu=arm1176jzf-s -mfpu=vfp -mfloat-abi=softfp -marm)
set(emulated_core arm1176)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(toolchain armv6-linux-gnueabi)
set(triple arm-linux-gnueabi)
set(emulator qemu-arm)
include(${CMAKE_CURRENT_LIST_DIR}/linux-arm.cmake)
