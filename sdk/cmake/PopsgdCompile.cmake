# How every target of the project is compiled: warnings, visibility, and the instruction set.

function(popsgd_compile target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # Two false alarms of gcc 12, raised inside <string> (its bug 105329) and inside its own AVX-512 intrinsics (105593).
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized)
  endif()
  if(POPSGD_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(POPSGD_NATIVE)
    # Full-width vectors: the kernels are written for the widest registers the machine has.
    target_compile_options(${target} PRIVATE -march=native)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
      target_compile_options(${target} PRIVATE -mprefer-vector-width=512)
    endif()
  endif()
endfunction()

# What goes onto a device may neither throw nor ask for run-time types.
function(popsgd_compile_for_devices target)
  popsgd_compile(${target})
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>)
  # Nobody reads the floating-point status flags or errno; without them selections and roots become vector code.
  target_compile_options(${target} PRIVATE -fno-trapping-math -fno-math-errno)
endfunction()
