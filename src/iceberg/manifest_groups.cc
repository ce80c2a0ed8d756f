// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/manifest_groups.h"

#include <algorithm>

namespace sluice::iceberg {
namespace {

constexpr int64_t kTargetBytes = 8 << 20;
constexpr int64_t kMinCountToMerge = 100;

using Group = std::vector<ManifestFile>;

// Fills groups from the oldest manifest on, so that only the newest group is not full and the others never change again.
std::vector<Group> Pack(Group manifests, int64_t target_bytes) {
  std::vector<Group> groups;
  int64_t bytes = 0;
  for (auto it = manifests.rbegin(); it != manifests.rend(); ++it) {
    if (groups.empty() || bytes + it->length > target_bytes) {
      groups.emplace_back();
      bytes = 0;
    }
    bytes += it->length;
    groups.back().push_back(std::move(*it));
  }
  for (Group& group : groups) std::reverse(group.begin(), group.end());
  std::reverse(groups.begin(), groups.end());
  return groups;
}

void Split(Group& group, std::vector<Group>& out) {
  for (ManifestFile& manifest : group) out.push_back({std::move(manifest)});
}

// An unknown transform's values cannot be written again.
bool CanMerge(const TableMetadata& table, const ManifestFile& manifest) {
  const PartitionSpec* spec = table.FindSpec(manifest.partition_spec_id);
  return spec != nullptr && std::none_of(spec->fields.begin(), spec->fields.end(),
                                         [](const PartitionField& field) { return field.transform.kind == TransformKind::kUnknown; });
}

}  // namespace

std::vector<Group> GroupManifests(const TableMetadata& table, Group manifests) {
  std::vector<Group> out;
  if (!table.PropertyBool("commit.manifest-merge.enabled", true)) {
    Split(manifests, out);
    return out;
  }
  int64_t target_bytes = table.PropertyInt("commit.manifest.target-size-bytes", kTargetBytes);
  auto count_min = static_cast<size_t>(std::max<int64_t>(2, table.PropertyInt("commit.manifest.min-count-to-merge", kMinCountToMerge)));
  std::vector<Group> alike;  // by spec and content
  for (ManifestFile& manifest : manifests) {
    auto same = [&](const Group& g) {
      return g[0].partition_spec_id == manifest.partition_spec_id && g[0].content == manifest.content && CanMerge(table, manifest);
    };
    auto it = std::find_if(alike.begin(), alike.end(), same);
    if (it == alike.end()) alike.push_back({std::move(manifest)});
    else it->push_back(std::move(manifest));
  }
  for (Group& group : alike) {
    bool is_newest = true;
    for (Group& packed : Pack(std::move(group), target_bytes)) {
      if (is_newest && packed.size() < count_min) Split(packed, out);
      else out.push_back(std::move(packed));
      is_newest = false;
    }
  }
  return out;
}

}  // namespace sluice::iceberg
