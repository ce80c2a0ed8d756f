// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Building Columns by hand: nodes that own what their ArrowSchema or ArrowArray points at, and free themselves and their
// children when released.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/columns.h"

namespace sluice::base {

struct SchemaNode {
  std::string format, name;
  std::string metadata;  // in Arrow's C encoding; empty: none
  std::vector<std::unique_ptr<ArrowSchema>> children;

  void AddChild(ArrowSchema child) { children.push_back(std::make_unique<ArrowSchema>(child)); }

  std::vector<ArrowSchema*> child_pointers;  // filled by SealSchema
};

struct ArrayNode {
  std::vector<const void*> buffers;           // may point into the members below, or at memory that `keep_alive` holds
  std::vector<char> validity, values, bytes;
  std::vector<int64_t> view_buffer_sizes;
  std::vector<std::unique_ptr<ArrowArray>> children;
  std::shared_ptr<const void> keep_alive;

  void AddChild(ArrowArray child) { children.push_back(std::make_unique<ArrowArray>(child)); }

  std::vector<ArrowArray*> child_pointers;  // filled by SealArray
};

// The struct that stands for the node; its release frees the node. Nothing of the node may be changed afterwards.
ArrowSchema SealSchema(std::unique_ptr<SchemaNode> node, bool nullable);
// `null_count` -1: not known.
ArrowArray SealArray(std::unique_ptr<ArrayNode> node, int64_t length, int64_t null_count);

}  // namespace sluice::base
