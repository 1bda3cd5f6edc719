# Microcontrollers with an Arm Cortex-M core, by arm-none-eabi-gcc and newlib; tests run on a board that QEMU emulates.
#   cmake --toolchain toolchains/cortex-m.cmake -D MCU=m0plus|m3|m4f|m7|m33
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(MCU m4f CACHE STRING "The core: m0plus, m3, m4f, m7 or m33")
set_property(CACHE MCU PROPERTY STRINGS m0plus m3 m4f m7 m33)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MCU)

set(core_m0plus -mcpu=cortex-m0plus)
set(core_m3 -mcpu=cortex-m3)
set(core_m4f -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard)
set(core_m7 -mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard)
set(core_m33 -mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -mfloat-abi=hard)
set(board_m0plus microbit)  # a Cortex-M0, which has the same instructions
set(board_m3 mps2-an385)
set(board_m4f mps2-an386)
set(board_m7 mps2-an500)
set(board_m33 mps2-an505)
if(NOT DEFINED core_${MCU})
  message(FATAL_ERROR "MCU is \"${MCU}\"; it has to be m0plus, m3, m4f, m7 or m33")
endif()
set(POPSGD_BOARD ${board_${MCU}})

set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # a program needs a board's start-up code
list(JOIN core_${MCU} " " core)
set(CMAKE_C_FLAGS_INIT "${core} -mthumb -ffunction-sections -fdata-sections")
# -fno-threadsafe-statics: an interrupt initialises nothing; -fno-exceptions is each target's own affair.
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -fno-threadsafe-statics")
set(CMAKE_CXX_FLAGS_MINSIZEREL_INIT "-Os -DNDEBUG")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles --specs=nano.specs -Wl,--gc-sections")

# The host's headers that are no more than headers, and none of its others: a folder with links to them is searched.
set(headers ${CMAKE_BINARY_DIR}/headers)
foreach(library flatbuffers doctest)
  if(EXISTS /usr/include/${library} AND NOT EXISTS ${headers}/include/${library})
    file(MAKE_DIRECTORY ${headers}/include)
    file(CREATE_LINK /usr/include/${library} ${headers}/include/${library} SYMBOLIC)
  endif()
endforeach()
# ... and wherever the user says that packages for the device are: -D CMAKE_PREFIX_PATH=...
set(CMAKE_FIND_ROOT_PATH ${headers} ${CMAKE_PREFIX_PATH})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/qemu-board ${POPSGD_BOARD})
