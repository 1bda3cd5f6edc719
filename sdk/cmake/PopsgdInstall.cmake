# What `cmake --install` lays down: libraries, headers, the command, a CMake package with one component a
# library, and pkg-config files. Nothing of it names the prefix but the service, so an installed tree may be moved.
option(POPSGD_INSTALL "Install what is built" ${PROJECT_IS_TOP_LEVEL})
if(NOT POPSGD_INSTALL)
  return()
endif()

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/popsgd)
cmake_path(APPEND pkgconfig_dir ${CMAKE_INSTALL_LIBDIR} pkgconfig)

# pkg-config's view of the directories: the prefix as seen from the .pc file, all else from the prefix.
cmake_path(ABSOLUTE_PATH pkgconfig_dir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE from)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${from} OUTPUT_VARIABLE up)
set(pkgconfig_prefix "\${pcfiledir}/${up}")
set(pkgconfig_libdir "\${prefix}")
cmake_path(APPEND pkgconfig_libdir ${CMAKE_INSTALL_LIBDIR})
set(pkgconfig_includedir "\${prefix}")
cmake_path(APPEND pkgconfig_includedir ${CMAKE_INSTALL_INCLUDEDIR})
# What this build leaves out, which whoever includes its headers must know.
get_target_property(pkgconfig_defines popsgd_sdk INTERFACE_COMPILE_DEFINITIONS)
if(NOT pkgconfig_defines)
  set(pkgconfig_defines "")
endif()
list(TRANSFORM pkgconfig_defines PREPEND " -D")
list(JOIN pkgconfig_defines "" pkgconfig_defines)

# Library popsgd_<component>, its headers, its export set and <name>.pc, from <pc>.pc.in. ${libs_of_<component>}: what it needs
# of others and has no .pc.
function(popsgd_install component headers name pc)
  install(TARGETS popsgd_${component} EXPORT popsgd_${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  install(EXPORT popsgd_${component} NAMESPACE popsgd:: FILE popsgd_${component}.cmake
    DESTINATION ${package_dir})
  set(libs_of_others ${libs_of_${component}})
  configure_file(${PROJECT_SOURCE_DIR}/sdk/cmake/${pc}.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pkgconfig_dir})
endfunction()

popsgd_install(sdk "sdk/include/;${PROJECT_BINARY_DIR}/sdk/include/" popsgd popsgd)
set(libs_of_secure "-lmbedtls -lmbedx509 -lmbedcrypto")
foreach(transport loopback serial discovery asio secure)
  if(TARGET popsgd_${transport})
    popsgd_install(${transport} transport/${transport}/include/ popsgd-${transport} popsgd-transport)
  endif()
endforeach()
if(TARGET popsgd_sim)
  popsgd_install(sim platforms/sim/include/ popsgd-sim popsgd-sim)
endif()
if(TARGET popsgd)
  install(TARGETS popsgd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # Where systemd looks, under /usr and under /usr/local; not in the directory of libraries, which may be another.
  install(FILES ${PROJECT_BINARY_DIR}/platforms/linux/popsgd-agent.service DESTINATION lib/systemd/system)
endif()

configure_package_config_file(sdk/cmake/popsgdConfig.cmake.in popsgdConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(popsgdConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/popsgdConfig.cmake ${PROJECT_BINARY_DIR}/popsgdConfigVersion.cmake
  DESTINATION ${package_dir})
