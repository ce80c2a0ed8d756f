// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What runs came to: a simulator that no longer reaches a part of the engine finds nothing there, and nobody sees it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::sim {

enum class Reach : uint8_t {
  kRecycled,
  kSealed,
  kExpired,
  kTableOutage,
  kTableStuck,
  kTopicRefused,
  kHotFiles,
  kHotFilesRead,
  kLoadAwaited,
  kPartialView,
  kHeldView,
  kOrphansRemoved,
  kRestored,
  kRival,
  kFrozen,
  kDiverged,
  kRetired,
  kLie,
  kCatalogLie,
  kDamageNamed,
  kRottenTail,
  kVisited,
  kRewritten,
  kEdited,
  kDeletes,
  kDeletesNamed,
  kDeletesGone,
  kGuest,
  kGuestNamed,
  kProgressTaken,
  kResumed,
  kHttp,
  kHttpContinue,
  kHttpTwin,
  kHttpCut,
  kHttpPart,
  kHttpLeft,
  kHttpTimeout,
  kHttpTooMany,
  kHttpTooLarge,
  kHttpDrained
};

struct ReachName {
  Reach reach;
  const char* name;
};
inline constexpr ReachName kReachNames[] = {
    {Reach::kRecycled, "journal segments recycled"},
    {Reach::kSealed, "dedup runs sealed"},
    {Reach::kExpired, "snapshots expired"},
    {Reach::kTableOutage, "the catalog did not answer for a table"},
    {Reach::kTableStuck, "a table did not get on"},
    {Reach::kTopicRefused, "its topic was refused"},
    {Reach::kHotFiles, "hot rows moved to files"},
    {Reach::kHotFilesRead, "hot files read by a view"},
    {Reach::kLoadAwaited, "a view awaited the loading of a table"},
    {Reach::kPartialView, "a view without a table that was loading"},
    {Reach::kHeldView, "a view held while tables moved"},
    {Reach::kOrphansRemoved, "orphans removed"},
    {Reach::kRestored, "a log restored from a backup"},
    {Reach::kRival, "a second server on a copy of the log"},
    {Reach::kFrozen, "one of two servers frozen"},
    {Reach::kDiverged, "a table that the other server has"},
    {Reach::kRetired, "a server that does not start behind another"},
    {Reach::kLie, "a disk that lied"},
    {Reach::kCatalogLie, "a catalog that lied"},
    {Reach::kDamageNamed, "its damage named"},
    {Reach::kRottenTail, "the newest commit lost to it"},
    {Reach::kVisited, "a table changed by another engine"},
    {Reach::kRewritten, "its files written anew"},
    {Reach::kEdited, "its metadata edited"},
    {Reach::kDeletes, "delete files in it"},
    {Reach::kDeletesNamed, "a view that does not apply them"},
    {Reach::kDeletesGone, "delete files removed"},
    {Reach::kGuest, "a table of another engine's own"},
    {Reach::kGuestNamed, "one that cannot be read named"},
    {Reach::kProgressTaken, "its progress taken away"},
    {Reach::kResumed, "it goes on where somebody said"},
    {Reach::kHttp, "a server behind HTTP"},
    {Reach::kHttpContinue, "a client that asked before it sent"},
    {Reach::kHttpTwin, "two requests at once answered"},
    {Reach::kHttpCut, "a connection that ended without an answer"},
    {Reach::kHttpPart, "a part of a request"},
    {Reach::kHttpLeft, "an answer that nobody waited for"},
    {Reach::kHttpTimeout, "a request that came too slowly"},
    {Reach::kHttpTooMany, "too many connections"},
    {Reach::kHttpTooLarge, "too large a body refused"},
    {Reach::kHttpDrained, "requests answered while the server stops"},
};

class Reached {
 public:
  void Note(Reach reach) { bits_ |= uint64_t{1} << static_cast<unsigned>(reach); }
  bool has(Reach reach) const { return (bits_ >> static_cast<unsigned>(reach) & 1) != 0; }
  uint64_t bits() const { return bits_; }
  static Reached FromBits(uint64_t bits) {
    Reached out;
    out.bits_ = bits;
    return out;
  }
  std::string ToString() const {
    std::string out;
    for (auto& [reach, name] : kReachNames)
      if (has(reach)) out += (out.empty() ? "" : ", ") + std::string(name);
    return out;
  }

 private:
  uint64_t bits_ = 0;
};

// In how many runs.
class ReachCounts {
 public:
  void Add(Reached reached) {
    for (size_t i = 0; i < std::size(kReachNames); i++) counts_[i] += reached.has(kReachNames[i].reach) ? 1 : 0;
  }
  std::string ToString() const {
    std::string out;
    for (size_t i = 0; i < std::size(kReachNames); i++)
      out += (i == 0 ? "" : ", ") + std::string(kReachNames[i].name) + " " + std::to_string(counts_[i]);
    return out;
  }
  // The first thing that no run came to, of all that it has to come to; null: none.
  const char* FirstMissing() const {
    for (size_t i = 0; i < std::size(kReachNames); i++)
      if (counts_[i] == 0 && kReachNames[i].reach != Reach::kRottenTail) return kReachNames[i].name;
    return nullptr;
  }

 private:
  std::array<uint64_t, std::size(kReachNames)> counts_{};
};

}  // namespace sluice::sim
