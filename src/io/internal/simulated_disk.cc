// SPDX-License-Identifier: Apache-2.0
#include "io/internal/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "io/internal/system_error.h"

namespace sluice::io {
namespace {

std::vector<std::string> SplitPath(const Path& path) {
  std::vector<std::string> names;
  for (size_t at = 0; at < path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    if (auto name = path.substr(at, end - at); !name.empty() && name != ".") names.push_back(std::move(name));
    at = end + 1;
  }
  return names;
}

void ForEachInode(const SimulatedInodePtr& inode, const std::function<void(SimulatedInode&)>& visit) {
  visit(*inode);
  for (auto& [name, child] : inode->names) ForEachInode(child, visit);
}

}  // namespace

SimulatedDisk::SimulatedDisk() : root_(std::make_shared<SimulatedInode>()) {
  root_->number = 1;
  root_->is_directory = true;
}

SimulatedInodePtr SimulatedDisk::MakeInode(bool is_directory) {
  auto inode = std::make_shared<SimulatedInode>();
  inode->number = next_inode_++;
  inode->is_directory = is_directory;
  return inode;
}

Result<SimulatedInodePtr> SimulatedDisk::Find(const Path& path) const {
  SimulatedInodePtr at = root_;
  for (auto& name : SplitPath(path)) {
    if (!at->is_directory) return SystemError("find", path, ENOTDIR);
    auto child = at->names.find(name);
    if (child == at->names.end()) return SystemError("find", path, ENOENT);
    at = child->second;
  }
  return at;
}

Result<SimulatedDisk::Place> SimulatedDisk::Locate(const Path& path) const {
  auto names = SplitPath(path);
  if (names.empty()) return SystemError("find", path, EBUSY);  // the root has no name
  Path parent = "/";
  for (size_t i = 0; i + 1 < names.size(); i++) parent = base::JoinPath(parent, names[i]);
  ASSIGN_OR_RETURN(auto directory, Find(parent));
  if (!directory->is_directory) return SystemError("find", path, ENOTDIR);
  return Place{directory, names.back()};
}

bool SimulatedDisk::NameChange::Touches(const SimulatedInodePtr& directory) const {
  return std::any_of(sets.begin(), sets.end(), [&](auto& s) { return s.first.directory == directory; });
}
bool SimulatedDisk::NameChange::Touches(const Place& place) const {
  return std::any_of(sets.begin(), sets.end(), [&](auto& s) { return s.first.directory == place.directory && s.first.name == place.name; });
}

void SimulatedDisk::Change(NameChange change) {
  for (auto& [place, inode] : change.sets) {
    if (inode != nullptr) place.directory->names[place.name] = inode;
    else place.directory->names.erase(place.name);
  }
  unsynced_.push_back(std::move(change));
}

void SimulatedDisk::MakeDurable(const NameChange& change) {
  for (auto& [place, inode] : change.sets) {
    if (inode != nullptr) place.directory->durable_names[place.name] = inode;
    else place.directory->durable_names.erase(place.name);
  }
}

Result<SimulatedInodePtr> SimulatedDisk::CreateFile(const Path& path) {
  ASSIGN_OR_RETURN(Place place, Locate(path));
  if (place.directory->names.contains(place.name)) return SystemError("open", path, EEXIST);
  auto inode = MakeInode(false);
  Change({{{place, inode}}});
  return inode;
}

Result<void> SimulatedDisk::CreateDirectory(const Path& path) {
  ASSIGN_OR_RETURN(Place place, Locate(path));
  if (place.directory->names.contains(place.name)) return SystemError("mkdir", path, EEXIST);
  Change({{{place, MakeInode(true)}}});
  return {};
}

Result<void> SimulatedDisk::Rename(const Path& from, const Path& to, bool replace) {
  ASSIGN_OR_RETURN(Place source, Locate(from));
  auto moved = source.directory->names.find(source.name);
  if (moved == source.directory->names.end()) return SystemError("rename", from, ENOENT);
  ASSIGN_OR_RETURN(Place target, Locate(to));
  auto inode = moved->second;
  if (auto old = target.directory->names.find(target.name); old != target.directory->names.end()) {
    if (!replace) return SystemError("rename to", to, EEXIST);
    if (old->second == inode) return {};
    if (old->second->is_directory != inode->is_directory) return SystemError("rename to", to, inode->is_directory ? ENOTDIR : EISDIR);
    if (!old->second->names.empty()) return SystemError("rename to", to, ENOTEMPTY);
  }
  Change({{{source, nullptr}, {target, inode}}});
  return {};
}

Result<void> SimulatedDisk::Remove(const Path& path) {
  ASSIGN_OR_RETURN(Place place, Locate(path));
  auto found = place.directory->names.find(place.name);
  if (found == place.directory->names.end()) return SystemError("remove", path, ENOENT);
  if (!found->second->names.empty()) return SystemError("remove", path, ENOTEMPTY);
  Change({{{place, nullptr}}});
  return {};
}

Result<void> SimulatedDisk::SyncDirectory(const Path& path) {
  ASSIGN_OR_RETURN(auto directory, Find(path));
  if (!directory->is_directory) return SystemError("open", path, ENOTDIR);
  // Newest first: a change that must go takes along older ones of the same names, or they would come back behind it.
  std::vector<bool> goes(unsynced_.size());
  for (size_t i = unsynced_.size(); i-- > 0;) {
    goes[i] = unsynced_[i].Touches(directory);
    for (size_t j = i + 1; j < unsynced_.size() && !goes[i]; j++)
      goes[i] = goes[j] &&
                std::any_of(unsynced_[j].sets.begin(), unsynced_[j].sets.end(), [&](auto& s) { return unsynced_[i].Touches(s.first); });
  }
  std::vector<NameChange> stay;
  for (size_t i = 0; i < unsynced_.size(); i++) {
    if (goes[i]) MakeDurable(unsynced_[i]);
    else stay.push_back(std::move(unsynced_[i]));
  }
  unsynced_ = std::move(stay);
  return {};
}

SimulatedInodePtr SimulatedDisk::CopyOf(const SimulatedInode& inode, const SimulatedInodePtr& without, SeededRandom* power_failure) {
  auto copy = MakeInode(inode.is_directory);
  copy->modified_us = inode.modified_us;
  copy->content = inode.content;
  if (power_failure != nullptr) copy->content.Crash(*power_failure);
  else copy->content.Sync();
  for (auto& [name, child] : inode.names)
    if (child != without) copy->names[name] = CopyOf(*child, without, power_failure);
  copy->durable_names = copy->names;
  return copy;
}

Result<void> SimulatedDisk::Clone(const Path& from, const Path& to, const Path& without, SeededRandom* power_failure) {
  ASSIGN_OR_RETURN(auto source, Find(from));
  auto directory = root_;
  for (auto& name : SplitPath(base::ParentPath(to))) {
    auto& child = directory->names[name];
    if (child == nullptr) child = MakeInode(true);
    directory->durable_names[name] = child;
    directory = child;
  }
  ASSIGN_OR_RETURN(Place place, Locate(to));
  if (place.directory->names.contains(place.name)) return SystemError("clone", to, EEXIST);
  auto left_out = Find(without);
  auto copy = CopyOf(*source, left_out.ok() ? *left_out : nullptr, power_failure);
  place.directory->names[place.name] = copy;
  place.directory->durable_names[place.name] = copy;
  return {};
}

uint64_t SimulatedDisk::BytesUsed() const {
  uint64_t bytes = 0;
  ForEachInode(root_, [&](SimulatedInode& inode) { bytes += inode.content.cached().size(); });
  return bytes;
}

void SimulatedDisk::ForEachFile(const std::function<void(const Path&, const SimulatedInodePtr&)>& visit) const {
  const std::function<void(const Path&, const SimulatedInodePtr&)> walk = [&](const Path& path, const SimulatedInodePtr& inode) {
    if (!inode->is_directory) return visit(path, inode);
    for (auto& [name, child] : inode->names) walk(path + "/" + name, child);
  };
  walk("", root_);
}

void SimulatedDisk::CrashNames(SeededRandom& random) {
  // Each group of connected directories keeps its changes up to its own point in time.
  while (!unsynced_.empty()) {
    std::set<SimulatedInodePtr> group;
    for (bool grown = true; grown;) {
      grown = group.empty();
      if (grown) group.insert(unsynced_.front().sets.front().first.directory);
      for (auto& change : unsynced_) {
        if (std::none_of(group.begin(), group.end(), [&](auto& d) { return change.Touches(d); })) continue;
        for (auto& set : change.sets) grown |= group.insert(set.first.directory).second;
      }
    }
    std::vector<NameChange> changes, others;
    for (auto& change : unsynced_) (group.contains(change.sets.front().first.directory) ? changes : others).push_back(std::move(change));
    // All or nothing are the interesting cases: half of the time one of them.
    const size_t kept = random.Coin() ? random.Below(changes.size() + 1) : random.Coin() ? changes.size() : 0;
    for (size_t i = 0; i < kept; i++) MakeDurable(changes[i]);
    unsynced_ = std::move(others);
  }
}

void SimulatedDisk::Crash(SeededRandom& random) {
  CrashNames(random);
  std::set<SimulatedInode*> seen;
  std::function<void(SimulatedInode&)> restart = [&](SimulatedInode& inode) {
    if (!seen.insert(&inode).second) return;
    inode.names = inode.durable_names;
    inode.content.Crash(random);
    for (auto& [name, child] : inode.names) restart(*child);
  };
  restart(*root_);
}

}  // namespace sluice::io
