// SPDX-License-Identifier: Apache-2.0
#include "event/event_batch.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace sluice::event {
namespace {

constexpr size_t kRowsAtLeast = 256;
constexpr size_t kPadding = 64;  // readable bytes behind every value

template <class T>
void Enlarge(std::unique_ptr<T[]>& values, size_t used, size_t capacity) {
  std::unique_ptr<T[]> larger(new T[capacity]);
  std::copy_n(values.get(), used, larger.get());
  values = std::move(larger);
}

}  // namespace

void EventBatch::Reset(std::string_view bytes) {
  CHECK(bytes.size() < kArenaBit - 1, "positions have 31 bits");
  bytes_ = bytes;
  rows_ = 0;
  used_ = 0;
  extensions_.clear();
  arena_.clear();
  rejected_.clear();
  rejected_count_ = 0;
  byte_size_ = 0;
  is_packed_ = false;
}

std::span<const Extension> EventBatch::extensions(size_t row) const {
  auto first = std::lower_bound(extensions_.begin(), extensions_.end(), row, [](const Extension& e, size_t r) { return e.row < r; });
  auto last = first;
  while (last != extensions_.end() && last->row == row) ++last;
  return {first, last};
}

void EventBatch::DropRow() {
  CHECK(rows_ > 0, "a row to drop");
  rows_--;
  byte_size_ -= value_bytes_[rows_];
  while (!extensions_.empty() && extensions_.back().row == rows_) extensions_.pop_back();
}

void EventBatch::Set(Attribute a, size_t row, Slice value) {
  auto column = static_cast<size_t>(a);
  if (!has(a)) StartColumn(column);
  columns_[column][row] = value;
  value_bytes_[row] += value.length;
  byte_size_ += value.length;
}

void EventBatch::AddExtension(size_t row, Slice name, Slice value) {
  CHECK(row + 1 == rows_, "extensions are added to the newest row");
  extensions_.push_back({static_cast<uint32_t>(row), name, value});
  value_bytes_[row] += name.length + value.length;
  byte_size_ += name.length + value.length;
}

void EventBatch::Reject(uint32_t index, std::string pointer, std::string reason) {
  rejected_count_++;
  if (rejected_.size() < kRejectedListed) rejected_.push_back({index, std::move(pointer), std::move(reason)});
}

Slice EventBatch::Store(std::string_view value) {
  char* at = nullptr;
  Slice slice = Allocate(value.size(), at);
  std::copy(value.begin(), value.end(), at);
  return slice;
}

Slice EventBatch::Allocate(size_t n, char*& at) {
  size_t position = arena_.size();
  CHECK(n < kArenaBit && position + n < kArenaBit, "positions have 31 bits");
  arena_.reserve(position + n + kPadding);
  arena_.resize(position + n);
  at = arena_.data() + position;
  return {static_cast<uint32_t>(position) | kArenaBit, static_cast<uint32_t>(n)};
}

void EventBatch::Trim(Slice& newest, size_t n) {
  size_t position = newest.position & ~kArenaBit;
  CHECK((newest.position & kArenaBit) != 0 && position + newest.length == arena_.size() && n <= newest.length,
        "the newest slice of the arena");
  arena_.resize(position + n);
  newest.length = static_cast<uint32_t>(n);
}

void EventBatch::FinishMove(std::string_view bytes) {
  CHECK(bytes.size() < kArenaBit - 1, "positions have 31 bits");
  bytes_ = bytes;
  is_packed_ = true;
}

EventBatch::Extent EventBatch::ExtentOf(size_t row) const {
  Extent all{SIZE_MAX, 0};
  auto add = [&](Slice s) {
    if (s.position == 0) return;
    all.begin = std::min(all.begin, size_t{s.position} - 1);
    all.end = std::max(all.end, size_t{s.position} - 1 + s.length);
  };
  for (uint32_t bits = used_; bits != 0; bits &= bits - 1) add(columns_[static_cast<size_t>(std::countr_zero(bits))][row]);
  if (!extensions_.empty())
    for (const Extension& e : extensions(row)) add(e.name), add(e.value);
  return all.begin <= all.end ? all : Extent{0, 0};
}

void EventBatch::Grow() {
  size_t capacity = std::max(kRowsAtLeast, capacity_ * 2);
  for (size_t a = 0; a < kAttributeCount; a++) {
    if ((used_ >> a & 1) != 0) Enlarge(columns_[a], rows_, capacity);
    else columns_[a].reset();
  }
  Enlarge(time_us_, rows_, capacity);
  Enlarge(index_, rows_, capacity);
  Enlarge(value_bytes_, rows_, capacity);
  capacity_ = capacity;
}

void EventBatch::StartColumn(size_t a) {
  if (columns_[a] == nullptr) columns_[a].reset(new Slice[capacity_]);
  std::fill_n(columns_[a].get(), rows_, Slice{});
  used_ |= 1u << a;
}

}  // namespace sluice::event
