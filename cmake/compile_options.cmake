# SPDX-License-Identifier: Apache-2.0
# x86-64-v3 (AVX2, 2013 and later): one binary for every machine that preflight accepts.
add_compile_options(-march=x86-64-v3 -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror -Wno-missing-field-initializers
                    -fno-omit-frame-pointer -fstack-protector-strong)
add_link_options(-fuse-ld=mold)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
# Debug information and messages name files as in the repository, wherever the clone lies.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(SLUICE_SANITIZE)
  # Without "vptr": before it looks at an object it asks the kernel, through a pipe, whether the memory is there. A worker of SQL may
  # make no pipe, and each object would be reported.
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
  if(SLUICE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link -w)  # what is worth a warning, g++ says
  endif()
  add_library(sluice_sanitizer OBJECT cmake/sanitizer_options.cc)  # of every program
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
