// SPDX-License-Identifier: Apache-2.0
#include "base/column_nodes.h"

namespace sluice::base {
namespace {

template <class Struct, class Node>
void Release(Struct* s) {
  for (int64_t i = 0; i < s->n_children; i++)
    if (s->children[i]->release != nullptr) s->children[i]->release(s->children[i]);
  delete static_cast<Node*>(s->private_data);
  s->release = nullptr;
}

}  // namespace

ArrowSchema SealSchema(std::unique_ptr<SchemaNode> node, bool nullable) {
  for (auto& c : node->children) node->child_pointers.push_back(c.get());
  ArrowSchema out{};
  out.format = node->format.c_str();
  out.name = node->name.c_str();
  out.metadata = node->metadata.empty() ? nullptr : node->metadata.data();
  out.flags = nullable ? ARROW_FLAG_NULLABLE : 0;
  out.n_children = static_cast<int64_t>(node->child_pointers.size());
  out.children = node->child_pointers.data();
  out.release = Release<ArrowSchema, SchemaNode>;
  out.private_data = node.release();
  return out;
}

ArrowArray SealArray(std::unique_ptr<ArrayNode> node, int64_t length, int64_t null_count) {
  for (auto& c : node->children) node->child_pointers.push_back(c.get());
  ArrowArray out{};
  out.length = length;
  out.null_count = null_count;
  out.n_buffers = static_cast<int64_t>(node->buffers.size());
  out.buffers = node->buffers.data();
  out.n_children = static_cast<int64_t>(node->child_pointers.size());
  out.children = node->child_pointers.data();
  out.release = Release<ArrowArray, ArrayNode>;
  out.private_data = node.release();
  return out;
}

}  // namespace sluice::base
