// SPDX-License-Identifier: Apache-2.0
#include "iceberg/orphan_files.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <span>
#include <string_view>

#include "base/time.h"
#include "iceberg/internal/table_commit.h"
#include "iceberg/unreachable_files.h"

namespace sluice::iceberg {
namespace {

constexpr std::string_view kMetadataSuffix = ".metadata.json";
constexpr std::string_view kDataSuffixes[] = {".parquet", ".avro", ".orc", ".puffin"};
constexpr std::string_view kMetadataSuffixes[] = {kMetadataSuffix, ".avro", ".stats", ".puffin"};

bool EndsWithOne(std::string_view name, std::span<const std::string_view> suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) { return name.ends_with(suffix); });
}

std::string NameOf(const std::string& uri) { return uri.substr(uri.rfind('/') + 1); }

// Of a metadata file, as engines with a catalog number them: "00012-<uuid>.metadata.json". -1: it has none.
int64_t NumberOf(const std::string& uri) {
  const std::string name = NameOf(uri);
  int64_t number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end != name.data() + name.size() && *end == '-' ? number : -1;
}

bool IsMetadata(const io::ObjectInfo& file) { return file.uri.ends_with(kMetadataSuffix); }

class Search {
 public:
  Search(Catalog& catalog, io::ObjectStore& objects, const TableName& name, int64_t modified_before_us, const std::set<SnapshotId>& read)
      : catalog_(catalog), objects_(objects), name_(name), modified_before_us_(modified_before_us), read_(read) {}

  Result<OrphanFiles> Run() {
    ASSIGN_OR_RETURN(auto seen, catalog_.LoadTable(name_));
    ASSIGN_OR_RETURN(auto files, List(seen.metadata->location));
    // In this order: what was committed before the list was made is known to the table now.
    ASSIGN_OR_RETURN(table_, catalog_.LoadTable(name_));
    if (table_.metadata->location != seen.metadata->location) return Error{ErrorCode::kConflict, "the table moved meanwhile", {}};
    ASSIGN_OR_RETURN(auto known, KnownNames());
    std::erase_if(files, [&](const io::ObjectInfo& file) { return known.contains(NameOf(file.uri)); });
    RETURN_IF_ERROR(LookForReasons(files));
    for (auto& file : files) {
      if (file.modified_us < modified_before_us_) out_.files.push_back(std::move(file));
      else out_.young++;
    }
    return std::move(out_);
  }

 private:
  Result<std::vector<io::ObjectInfo>> List(const std::string& location) {
    std::vector<io::ObjectInfo> out;
    RETURN_IF_ERROR(objects_.List(location + "/data/", [&](const io::ObjectInfo& file) {
      if (EndsWithOne(file.uri, kDataSuffixes)) out.push_back(file);
    }));
    RETURN_IF_ERROR(objects_.List(location + "/metadata/", [&](const io::ObjectInfo& file) {
      if (EndsWithOne(file.uri, kMetadataSuffixes)) out.push_back(file);
    }));
    std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.uri < b.uri; });
    return out;
  }

  Result<std::set<std::string>> KnownNames() {
    ASSIGN_OR_RETURN(auto reachable, ListReachable(objects_, *table_.metadata));
    std::set<std::string> out{NameOf(table_.metadata_location)};
    for (auto* uris : {&reachable.data_files, &reachable.manifests, &reachable.manifest_lists, &reachable.statistics_files})
      for (auto& uri : *uris) out.insert(NameOf(uri));
    for (auto& entry : table_.metadata->metadata_log) out.insert(NameOf(entry.metadata_file));
    return out;
  }

  Result<void> LookForReasons(std::vector<io::ObjectInfo>& files) {
    const auto& metadata = *table_.metadata;
    if (!metadata.PropertyBool("gc.enabled", true)) out_.kept_because = "its property gc.enabled is false";
    std::string newer;
    for (auto& file : files)
      if (IsMetadata(file) && IsNewer(file)) newer = NameOf(file.uri);
    // Whoever keeps old metadata files wants them.
    if (!metadata.PropertyBool("write.metadata.delete-after-commit.enabled", false)) std::erase_if(files, IsMetadata);
    ASSIGN_OR_RETURN(auto other, catalog_.FindTableAt(metadata.location, name_));
    if (other) out_.kept_because = "the table " + other->ToString() + " has files at its location";
    auto lacks = [&](SnapshotId id) { return metadata.FindSnapshot(id) == nullptr; };
    if (auto lost = std::find_if(read_.begin(), read_.end(), lacks); lost != read_.end())
      out_.kept_because = "its snapshot " + std::to_string(*lost) + " is gone, and may still be read";
    for (auto& file : files)
      if (IsMetadata(file)) LookAtMetadata(file);
    if (out_.kept_because.empty() && !newer.empty()) out_.kept_because = newer + " is newer than its last commit, and may still become one";
    return {};
  }

  // A commit whose outcome is not known yet; or the catalog was set back, and what it names was followed by others. Clocks are set back, too.
  bool IsNewer(const io::ObjectInfo& file) const {
    return file.modified_us / kMicrosPerMilli >= table_.metadata->last_updated_ms || NumberOf(file.uri) > NumberOf(table_.metadata_location);
  }

  void LookAtMetadata(const io::ObjectInfo& file) {
    if (!out_.kept_because.empty()) return;
    auto loaded = LoadMetadataFile(objects_, file.uri);
    if (loaded.ok() && (*loaded)->table_uuid == table_.metadata->table_uuid) return;
    if (loaded.ok() && (*loaded)->snapshots.empty()) return;                  // a creation that never was: it refers to nothing
    if (!loaded.ok() && loaded.error().code == ErrorCode::kNotFound) return;  // removed meanwhile, by another search
    out_.kept_because = NameOf(file.uri) + " is of another table that was at its location, or cannot be read";
  }

  Catalog& catalog_;
  io::ObjectStore& objects_;
  const TableName& name_;
  const int64_t modified_before_us_;
  const std::set<SnapshotId>& read_;
  Table table_;
  OrphanFiles out_;
};

}  // namespace

uint64_t OrphanFiles::bytes() const {
  uint64_t out = 0;
  for (auto& file : files) out += file.size;
  return out;
}

Result<OrphanFiles> FindOrphans(Catalog& catalog, io::ObjectStore& objects, const TableName& name, int64_t modified_before_us,
                                const std::set<SnapshotId>& read) {
  return Search(catalog, objects, name, modified_before_us, read).Run();
}

}  // namespace sluice::iceberg
