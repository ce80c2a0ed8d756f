// SPDX-License-Identifier: Apache-2.0
#include "file_kind.h"

#include <fnmatch.h>

namespace sluice::faults {
namespace {

struct Named {
  const char* pattern;  // of fnmatch; `*` goes over slashes, too
  const char* kind;
};

constexpr Named kFiles[] = {
    {"LOCK", "lock"},
    {"directory.json*", "directory-identity"},
    {"catalog.db", "catalog"},
    {"catalog.db-journal", "catalog-rollback"},
    {"catalog.db-wal", "catalog-wal"},
    {"catalog.db-shm", "catalog-index"},
    {"log/journal/identity.json*", "journal-identity"},
    {"log/journal/preparing", "journal-preparing"},
    {"log/journal/spare-*.segment", "journal-spare"},
    {"log/journal/*.segment", "journal-segment"},
    {"log/quarantine/*", "quarantine"},
    {"log/topics/*.log*", "topic-file"},
    {"log/dedup/*.run*", "dedup-run"},
    {"log/checkpoints/*.checkpoint*", "checkpoint"},
    {"warehouse/*/metadata/.tmp-*", "metadata-unfinished"},
    {"warehouse/*/metadata/*.metadata.json", "table-metadata"},
    {"warehouse/*/metadata/snap-*.avro", "manifest-list"},
    {"warehouse/*/metadata/*-m*.avro", "manifest"},
    {"warehouse/*/data/*.tmp-*", "data-unfinished"},
    {"warehouse/*/data/*.parquet", "data-file"},
};
constexpr Named kDirectories[] = {
    {"", "root-directory"},
    {"log", "log-directory"},
    {"log/journal", "journal-directory"},
    {"log/quarantine", "quarantine-directory"},
    {"log/topics*", "topics-directory"},
    {"log/dedup", "dedup-directory"},
    {"log/checkpoints", "checkpoints-directory"},
    {"hot", "hot-directory"},
    {"spill", "spill-directory"},
    {"warehouse/*/metadata", "metadata-directory"},
    {"warehouse/*/data*", "data-directory"},
    {"warehouse*", "warehouse-directory"},
};

template <size_t N>
std::string Find(const Named (&names)[N], const std::string& path) {
  for (auto& named : names)
    if (fnmatch(named.pattern, path.c_str(), 0) == 0) return named.kind;
  return "unknown(" + path + ")";
}

}  // namespace

std::string FileKind(std::string_view path, bool is_directory) {
  return is_directory ? Find(kDirectories, std::string(path)) : Find(kFiles, std::string(path));
}

std::string UnnamedFileKind(std::string_view directory) {
  return directory == "hot" ? "hot-file" : directory == "spill" ? "spill-file" : "unknown(unnamed)";
}

}  // namespace sluice::faults
