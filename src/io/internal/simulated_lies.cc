// SPDX-License-Identifier: Apache-2.0
#include "io/internal/simulated_lies.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace sluice::io {
namespace {

constexpr int kDraws = 16;
constexpr uint64_t kBitsOfByte = 8;

// A place of one of `bytes`. Most of a preallocated file is zeros that mean nothing: others are likelier.
size_t AnyPlace(std::string_view bytes, SeededRandom& random) {
  size_t at = 0;
  for (int draw = 0; draw < kDraws; draw++) {
    at = random.Below(bytes.size());
    if (bytes[at] != 0) break;
  }
  return at;
}

uint8_t AnyBit(SeededRandom& random) { return static_cast<uint8_t>(1u << random.Below(kBitsOfByte)); }

}  // namespace

bool SimulatedLies::IsDue(const DiskLie& lie, DiskLie::Kind kind, const Path& path) {
  return lie.kind == kind && !told_ && path.find(lie.part) != Path::npos && ++calls_ >= lie.nth;
}

void SimulatedLies::Tell(const Path& path, uint64_t at, std::string what, int64_t now_ns) {
  told_ = ToldLie{path, at, std::move(what), now_ns};
}

std::pair<Path, SimulatedInodePtr> SimulatedLies::AnyFile(const std::string& part) {
  std::vector<std::pair<Path, SimulatedInodePtr>> found;
  disk_.ForEachFile([&](const Path& path, const SimulatedInodePtr& inode) {
    if (path.find(part) != Path::npos && !inode->content.durable().empty()) found.emplace_back(path, inode);
  });
  return found.empty() ? std::pair<Path, SimulatedInodePtr>() : found[random_.Below(found.size())];
}

bool SimulatedLies::TakeWrite(const DiskLie& lie, const Path& path, SimulatedInode& inode, uint64_t at, std::string_view bytes, bool direct,
                              int64_t now_ns) {
  const bool lost = IsDue(lie, DiskLie::Kind::kLostWrite, path), misdirected = !lost && IsDue(lie, DiskLie::Kind::kMisdirectedWrite, path);
  if ((!lost && !misdirected) || bytes.empty()) return false;
  // All of it, or one page.
  uint64_t from = at, end = at + bytes.size();
  if (random_.Coin()) {
    from = std::max(at, (at / kPageBytes + random_.Below((end - 1) / kPageBytes - at / kPageBytes + 1)) * kPageBytes);
    end = std::min(end, (from / kPageBytes + 1) * kPageBytes);
  }
  const auto part = bytes.substr(from - at, end - from);
  inode.content.WriteButLose(at, bytes, from - at, part.size(), direct);
  if (lost) {
    Tell(path, from, "a write of " + std::to_string(part.size()) + " bytes is lost", now_ns);
    return true;
  }
  Path other_path = path;
  SimulatedContent* other = &inode.content;
  SimulatedInodePtr file;
  if (random_.Coin()) {
    std::tie(other_path, file) = AnyFile(lie.part);
    if (file != nullptr) other = &file->content;
    else other_path = path;
  }
  const uint64_t pages = other->durable().size() / kPageBytes + 1;
  const uint64_t to = random_.Below(pages) * kPageBytes;
  other->PutOnDisk(to, part);
  Tell(path, from, "a write of " + std::to_string(part.size()) + " bytes goes to " + other_path + " at " + std::to_string(to), now_ns);
  return true;
}

void SimulatedLies::Rot(const DiskLie& lie, const Path& path, int64_t now_ns) {
  if (!IsDue(lie, DiskLie::Kind::kRottenBit, path)) return;
  auto [rotten, inode] = AnyFile(lie.part);
  if (inode == nullptr) return;
  const size_t at = AnyPlace(inode->content.durable(), random_);
  inode->content.Corrupt(at, AnyBit(random_));
  Tell(rotten, at, "a bit is another one", now_ns);
}

void SimulatedLies::TouchRead(const DiskLie& lie, const Path& path, char* bytes, size_t size, int64_t now_ns) {
  if (size == 0 || !IsDue(lie, DiskLie::Kind::kRottenRead, path)) return;
  const size_t at = AnyPlace({bytes, size}, random_);
  bytes[at] = static_cast<char>(static_cast<uint8_t>(bytes[at]) ^ AnyBit(random_));
  Tell(path, at, "a read has another bit", now_ns);
}

}  // namespace sluice::io
