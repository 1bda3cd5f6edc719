# A file inside the program: popsgd_embed(target source_file symbol).
#
#   popsgd_embed(popsgd-command report/page.html popsgd::command::report_page)
#
# defines `const std::string_view popsgd::command::report_page` in a generated source of the target, made
# again whenever the file changes. Call it in the directory that defines the target; `symbol` is qualified,
# and the code that uses it declares it:  extern const std::string_view report_page;

if(NOT CMAKE_SCRIPT_MODE_FILE)
  function(popsgd_embed target source_file symbol)
    get_filename_component(source "${source_file}" ABSOLUTE)
    string(REPLACE "::" "_" stem "${symbol}")
    set(generated "${CMAKE_CURRENT_BINARY_DIR}/${stem}.cpp")
    add_custom_command(
      OUTPUT "${generated}"
      COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${source}" "-DGENERATED=${generated}" "-DSYMBOL=${symbol}"
              -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}"
      DEPENDS "${source}" "${CMAKE_CURRENT_FUNCTION_LIST_FILE}"
      COMMENT "Embedding ${source_file}"
      VERBATIM)
    target_sources(${target} PRIVATE "${generated}")
  endfunction()
  return()
endif()

# Character literals, not a string: ISO C++ promises only 65,536 characters in a string literal.
file(READ "${SOURCE}" bytes HEX)
string(LENGTH "${bytes}" digits)
if(digits EQUAL 0)
  message(FATAL_ERROR "cannot embed '${SOURCE}': it is empty")
endif()
string(REPEAT "[0-9a-f]" 32 row)
string(REGEX REPLACE "(${row})" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")

string(REGEX REPLACE "::[^:]+$" "" scope "${SYMBOL}")
string(REGEX REPLACE "^.*::" "" name "${SYMBOL}")
get_filename_component(file_name "${SOURCE}" NAME)
file(WRITE "${GENERATED}" "// Made from ${file_name}; edit that instead.
#include <string_view>

namespace ${scope} {

namespace {
constexpr char bytes_of_${name}[] = {
${bytes}
};
}  // namespace

extern const std::string_view ${name};
constinit const std::string_view ${name}{bytes_of_${name}, sizeof bytes_of_${name}};

}  // namespace ${scope}
")
