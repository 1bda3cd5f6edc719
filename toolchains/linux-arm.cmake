# What the toolchains of Linux on Arm share: Debian's cross compiler of `triple`, the libraries it may find, and the
# emulator, qemu-user as the core `emulated_core`.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${triple}-gcc)
set(CMAKE_CXX_COMPILER ${triple}-g++)

# A section a function, so that what is not called is not linked.
list(JOIN machine " " machine)
# -Wno-psabi: no notes about calls that gcc 6 compiled otherwise.
set(CMAKE_C_FLAGS_INIT "${machine} -Wno-psabi -ffunction-sections -fdata-sections")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -Wl,--gc-sections")

# Of the host only libraries that are no more than headers: a root with links to those, and to what describes them.
set(headers ${CMAKE_BINARY_DIR}/headers)
foreach(library include/asio include/asio.hpp include/CLI include/doctest include/eigen3 include/flatbuffers
    include/nlohmann include/toml++ lib/cmake/doctest share/cmake/CLI11 share/cmake/nlohmann_json share/eigen3)
  if(EXISTS /usr/${library} AND NOT EXISTS ${headers}/${library})
    cmake_path(GET library PARENT_PATH folder)
    file(MAKE_DIRECTORY ${headers}/${folder})
    file(CREATE_LINK /usr/${library} ${headers}/${library} SYMBOLIC)
  endif()
endforeach()

# Libraries with code are built for the target by toolchains/get-libraries.
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH project)
# ... and wherever the user says that packages for the device are: -D CMAKE_PREFIX_PATH=...
set(CMAKE_FIND_ROOT_PATH ${project}/build/libraries/${toolchain} ${headers} ${CMAKE_PREFIX_PATH} /usr/${triple})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR ${emulator} -cpu ${emulated_core} -L /usr/${triple})
