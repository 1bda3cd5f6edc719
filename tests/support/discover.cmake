# Asks a doctest program for its test cases, file by file, and writes one ctest test for each. Takes the list
# apart as text: a name may hold what a CMake list cannot, such as "[0, 1)".
#   cmake -D program= -D sources= -D prefix= -D timeout= [-D emulator=] -D output= -P discover.cmake
set(script "")
set(command ${emulator} ${program})
list(JOIN command "]==] [==[" words)
foreach(source IN LISTS sources)
  cmake_path(GET source FILENAME file)
  string(REPLACE "_test.cpp" "" subject ${file})
  execute_process(COMMAND ${command} --list-test-cases --source-file=*/${file}
    OUTPUT_VARIABLE cases COMMAND_ERROR_IS_FATAL ANY)
  while(cases MATCHES "^([^\n]*)\n(.*)$")
    set(case "${CMAKE_MATCH_1}")
    set(cases "${CMAKE_MATCH_2}")
    if(case MATCHES "^(\\[doctest\\].*|=*)$")
      continue()
    endif()
    string(REPLACE "," "\\," filter "${case}")
    # A program whose filters let no test case through has not passed.
    string(APPEND script
      "add_test([==[${prefix}.${subject}: ${case}]==] [==[${words}]==]\n"
      "  [==[--source-file=*/${file}]==] [==[--test-case=${filter}]==])\n"
      "set_tests_properties([==[${prefix}.${subject}: ${case}]==] PROPERTIES TIMEOUT ${timeout}\n"
      "  FAIL_REGULAR_EXPRESSION [==[test cases: +0 [|]]==])\n")
  endwhile()
endforeach()
file(WRITE ${output} "${script}")
