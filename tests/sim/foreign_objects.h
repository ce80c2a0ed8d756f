// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/json.h"
#include "io/object_store.h"
#include "sim/foreign_avro.h"

namespace sluice::sim {

// How another engine writes: manifest lists in another codec of Avro, metadata as gzip, both without the checksums that only we write.
// What is written through it looks so; all else goes on to `objects`, which outlives it.
class ForeignObjects final : public io::ObjectStore {
 public:
  ForeignObjects(io::ObjectStore& objects, ForeignCodec lists, bool packs_metadata)
      : objects_(objects), lists_(lists), packs_metadata_(packs_metadata) {}
  Result<std::unique_ptr<io::ObjectWriter>> Create(const std::string& uri) override;
  Result<std::unique_ptr<io::ObjectReader>> Open(const std::string& uri) override { return objects_.Open(uri); }
  Result<void> Remove(const std::string& uri) override { return objects_.Remove(uri); }
  Result<void> List(const std::string& prefix, const std::function<void(const io::ObjectInfo&)>& visit) override {
    return objects_.List(prefix, visit);
  }
  // Of the metadata files of the next commits; null: none.
  void SetEdit(std::function<void(Json&)> edit) { edit_ = std::move(edit); }

 private:
  std::string Translate(const std::string& uri, const std::string& bytes) const;

  io::ObjectStore& objects_;
  const ForeignCodec lists_;
  const bool packs_metadata_;
  std::function<void(Json&)> edit_;
};

}  // namespace sluice::sim
