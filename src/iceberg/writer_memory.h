// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Memory that data files are written with: page buffers, dictionaries, compressed pages. What one column is done with the next one
// takes over, so that a file costs hardly any fresh pages; what is kept for that has a bound.

#include <cstddef>
#include <memory>

namespace arrow {
class MemoryPool;
}

namespace sluice::iceberg {

// For writers of one thread, one after the other or several at once; must outlive them.
class WriterMemory {
 public:
  // Of freed buffers: more than this is given back at once.
  static constexpr size_t kKeptBytesMax = size_t{8} << 20;

  WriterMemory();
  ~WriterMemory();
  WriterMemory(const WriterMemory&) = delete;

  size_t bytes_in_use() const;
  size_t bytes_kept() const;
  // The largest sum of the two so far.
  size_t bytes_peak() const;
  // For the Parquet library.
  ::arrow::MemoryPool& pool();

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace sluice::iceberg
