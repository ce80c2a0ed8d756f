// SPDX-License-Identifier: Apache-2.0
//
// Part of every program of a sanitizer build, and of no other one: defaults that hold without an environment, which workers of SQL have
// not, and what ThreadSanitizer is not to report. The environment's TSAN_OPTIONS and ASAN_OPTIONS add to it.

extern "C" {

const char* __tsan_default_options() {
  return
      // Arrow, Parquet, DuckDB and Debian's libraries are not instrumented: of what they do only the calls into the C library are seen,
      // which then look like races with what they do inline. Their locks and threads are still followed.
      "ignore_noninstrumented_modules=1:"
      // ThreadSanitizer makes a fork of vfork, so that the allocator inside Arrow takes all its locks before a worker starts: more than
      // the 64 at a time that the search for wrong orders of locks can count. Tests that start no process switch it on again.
      "detect_deadlocks=0:"
      // Threads do much between two accesses.
      "history_size=4";
}

// The search for leaks at the end of a process cannot work in a worker's sandbox, which then fails: it is on where an environment says so
// (tools/x/sanitize.py), and workers have none.
const char* __asan_default_options() { return "detect_leaks=0"; }

}  // extern "C"
