# SPDX-License-Identifier: Apache-2.0
# Makes of every folder in src/folders.txt a static library `sluice_<folder>`, a test binary `<folder>_test` and, where
# *_bench.cc and *_fuzz.cc files exist, a benchmark binary `<folder>_bench` and the fuzz targets `<folder>_fuzz` ('/' becomes '_').
# src/cli/main.cc is the binary `sluice`.

function(sluice_add_folders root)
  file(STRINGS ${root}/folders.txt lines REGEX "^[a-z]")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/folders.txt)
  set(lower "")        # libraries of lower ranks
  set(same "")         # libraries of the current rank
  set(current -1)
  foreach(line ${lines})
    separate_arguments(words UNIX_COMMAND "${line}")
    list(POP_FRONT words folder rank)
    if(NOT rank EQUAL current)
      list(APPEND lower ${same})
      set(same "")
      set(current ${rank})
    endif()
    string(REPLACE "/" "_" name ${folder})
    sluice_add_folder(${root} ${folder} ${name} "${lower}" "${words}")
    if(TARGET sluice_${name} AND NOT folder STREQUAL "query/worker")  # only main links the worker
      list(APPEND same sluice_${name})
    endif()
  endforeach()
  if(EXISTS ${root}/cli/main.cc)
    add_executable(sluice ${root}/cli/main.cc)
    target_link_libraries(sluice PRIVATE sluice_cli sluice_query_worker $<TARGET_NAME_IF_EXISTS:sluice_sanitizer>)
    # Installed, the libraries lie beside the binary. The run path must hold for the libraries' own dependencies, too:
    # that is the older kind, DT_RPATH.
    target_link_options(sluice PRIVATE -Wl,--disable-new-dtags)
    set_target_properties(sluice PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/sluice")
    install(TARGETS sluice RUNTIME DESTINATION bin)
  endif()
endfunction()

function(sluice_add_folder root folder name lower libraries)
  file(GLOB sources CONFIGURE_DEPENDS ${root}/${folder}/*.cc ${root}/${folder}/internal/*.cc)
  set(tests ${sources})
  set(benches ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/cli/main\\.cc$")
  if(NOT sources)
    return()
  endif()
  list(TRANSFORM libraries PREPEND "sluice_dep_")
  list(REVERSE lower)
  get_filename_component(parent "${folder}" DIRECTORY)
  string(REPLACE "/" "_" parent "${parent}")
  if(parent AND TARGET sluice_${parent})
    list(PREPEND lower sluice_${parent})  # query/worker may use query
  endif()
  add_library(sluice_${name} STATIC ${sources})
  target_include_directories(sluice_${name} PUBLIC ${root})
  target_link_libraries(sluice_${name} PUBLIC ${lower} PRIVATE ${libraries})
  if(tests AND SLUICE_UNIT_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE sluice_${name} ${lower} ${libraries} GTest::gtest GTest::gtest_main
      $<TARGET_NAME_IF_EXISTS:sluice_sanitizer>)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
  if(fuzzers AND SLUICE_FUZZ)  # ./x fuzz
    add_executable(${name}_fuzz ${fuzzers} ${CMAKE_SOURCE_DIR}/tests/fuzz/libfuzzer_main.cc)
    target_link_libraries(${name}_fuzz PRIVATE sluice_${name} ${lower} ${libraries} GTest::gtest $<TARGET_NAME_IF_EXISTS:sluice_sanitizer>)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  elseif(fuzzers AND SLUICE_UNIT_TESTS)  # ./x test
    add_executable(${name}_fuzz ${fuzzers} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    target_link_libraries(${name}_fuzz PRIVATE sluice_${name} ${lower} ${libraries} GTest::gtest $<TARGET_NAME_IF_EXISTS:sluice_sanitizer>)
    add_test(NAME ${name}_fuzz COMMAND ${name}_fuzz ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus)
  endif()
  if(benches AND CMAKE_BUILD_TYPE STREQUAL "Release")
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE sluice_${name} ${lower} ${libraries} benchmark::benchmark benchmark::benchmark_main)
  endif()
endfunction()
