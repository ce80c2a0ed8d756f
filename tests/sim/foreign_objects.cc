// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign_objects.h"

#include <functional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "ingest/gzip.h"

namespace sluice::sim {
namespace {

class ForeignWriter final : public io::ObjectWriter {
 public:
  ForeignWriter(std::unique_ptr<io::ObjectWriter> to, std::function<std::string(const std::string&)> translate)
      : to_(std::move(to)), translate_(std::move(translate)) {}
  Result<void> Append(std::string_view bytes) override {
    bytes_ += bytes;
    return {};
  }
  Result<void> Finish() override {
    RETURN_IF_ERROR(to_->Append(translate_(bytes_)));
    return to_->Finish();
  }
  uint64_t position() const override { return bytes_.size(); }

 private:
  const std::unique_ptr<io::ObjectWriter> to_;
  const std::function<std::string(const std::string&)> translate_;
  std::string bytes_;
};

}  // namespace

std::string ForeignObjects::Translate(const std::string& uri, const std::string& bytes) const {
  if (uri.ends_with(".avro")) return RecodeAvro(bytes, lists_);
  auto json = Json::Parse(bytes);
  CHECK(json.ok(), "metadata that is no JSON");
  json->Erase("sluice-checksum");
  if (edit_) edit_(*json);
  return packs_metadata_ ? ingest::Gzip(json->Dump()) : json->Dump();
}

Result<std::unique_ptr<io::ObjectWriter>> ForeignObjects::Create(const std::string& uri) {
  ASSIGN_OR_RETURN(auto to, objects_.Create(uri));
  // Of manifests and data files somebody else knows the length.
  if (uri.find("/metadata/snap-") == std::string::npos && !uri.ends_with(".metadata.json")) return to;
  return std::unique_ptr<io::ObjectWriter>(
      std::make_unique<ForeignWriter>(std::move(to), [this, uri](const std::string& bytes) { return Translate(uri, bytes); }));
}

}  // namespace sluice::sim
