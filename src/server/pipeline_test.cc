// SPDX-License-Identifier: Apache-2.0
#include "server/pipeline.h"

#include <gtest/gtest.h>

#include "io/simulated_world.h"

namespace sluice::server {
namespace {

// A catalog that can be switched off.
class SwitchedCatalog final : public io::CatalogStore {
 public:
  SwitchedCatalog(io::CatalogStore& store, const bool& is_on) : store_(store), is_on_(is_on) {}
  Result<std::vector<std::string>> ListNamespaces() override { return store_.ListNamespaces(); }
  Result<void> CreateNamespace(const std::string& name, const std::map<std::string, std::string>& properties) override { return store_.CreateNamespace(name, properties); }
  Result<std::vector<std::string>> ListTables(const std::string& table_namespace) override { return store_.ListTables(table_namespace); }
  Result<std::optional<io::CatalogRow>> LoadTable(const std::string& table_namespace, const std::string& table) override {
    if (!is_on_) return Error{ErrorCode::kUnavailable, "the catalog is locked", {}};
    return store_.LoadTable(table_namespace, table);
  }
  Result<void> CreateTable(const std::string& table_namespace, const std::string& table, const std::string& location) override {
    return store_.CreateTable(table_namespace, table, location);
  }
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected, const std::string& next) override {
    return store_.SwapTable(table_namespace, table, expected, next);
  }
  Result<void> DropTable(const std::string& table_namespace, const std::string& table) override { return store_.DropTable(table_namespace, table); }

 private:
  io::CatalogStore& store_;
  const bool& is_on_;
};

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() {
    options_.data = "/data";
    options_.log.segment_bytes = 64 << 10;
    options_.log.journal_bytes_max = 4 * options_.log.segment_bytes;
    options_.tier.interval_us = int64_t{3600} * kMicrosPerSecond;
  }

  std::unique_ptr<Pipeline> Open() {
    auto opened = Pipeline::Open(world_.env(), options_, [this](const Path&) -> Result<std::unique_ptr<io::CatalogStore>> {
      return std::unique_ptr<io::CatalogStore>(std::make_unique<SwitchedCatalog>(world_.catalog(), catalog_is_on_));
    });
    if (!opened.ok()) ADD_FAILURE() << opened.error().ToString();
    return std::move(opened).value();
  }

  // A round of the loop, as often as it takes.
  void RunUntil(Pipeline& pipeline, const std::function<bool()>& done) {
    for (int i = 0; i < 10'000 && !done(); i++) {
      pipeline.log().Tick(world_.env().clock.Now());
      pipeline.TickFeeds();
      if (!done()) pipeline.log().written().Wait(10'000);
    }
    ASSERT_TRUE(done());
  }

  void Send(Pipeline& pipeline, const std::string& id) {
    std::string body = R"({"specversion":"1.0","id":")" + id + R"(","source":"/s","type":"user_action"})";
    const size_t size = body.size();
    body.append(64, ' ');
    const Principal principal;
    ingest::IngestRequest request;
    request.content_type = "application/cloudevents+json";
    request.body = std::string_view(body).substr(0, size);
    request.principal = &principal;
    auto outcome = pipeline.gate().Ingest(request);
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    RunUntil(pipeline, [&] { return pipeline.log().durable() >= outcome.durable_after; });
  }

  void FlushAll(Pipeline& pipeline) {
    bool done = false;
    pipeline.Flush(*pipeline.feeds().front(), 10 * kMicrosPerSecond, [&](Result<log::Progress> flushed) {
      EXPECT_TRUE(flushed.ok());
      done = true;
    });
    RunUntil(pipeline, [&] { return done; });
  }

  static uint64_t HotRows(const table::TableView& view) {
    uint64_t rows = 0;
    for (auto& chunk : view.chunks) rows += chunk.rows;
    return rows;
  }

  io::SimulatedWorld world_{1};
  ServerOptions options_;
  bool catalog_is_on_ = true;
};

// Found by the simulator: hot rows were loaded from the oldest retained offset on, so that rows of the lake were shown twice once
// the table could be read, and its pump paused.
// Method: two rows in the lake, one behind it; a restart while the catalog is locked, two more rows; then it answers again.
TEST_F(PipelineTest, TableThatCannotBeReadAtStartShowsNoRowTwice) {
  auto ran = world_.Run([&] {
    auto first = Open();
    Send(*first, "a");
    Send(*first, "b");
    FlushAll(*first);
    Send(*first, "c");
    ASSERT_TRUE(first->Stop().ok());
    first.reset();

    catalog_is_on_ = false;
    auto second = Open();
    Send(*second, "d");
    EXPECT_EQ(second->registry().View().tables.at(0).version, nullptr) << "nobody knows which rows are behind the snapshot";
    catalog_is_on_ = true;
    RunUntil(*second, [&] { return second->registry().View().tables.at(0).version != nullptr; });
    EXPECT_EQ(HotRows(second->registry().View().tables.at(0)), 2u);
    Send(*second, "e");
    EXPECT_EQ(HotRows(second->registry().View().tables.at(0)), 3u);
    FlushAll(*second);
    const auto view = second->registry().View().tables.at(0);
    EXPECT_EQ(HotRows(view), 0u);
    EXPECT_EQ(view.version->metadata.current_snapshot()->summary.at("total-records"), "5");
    EXPECT_TRUE(second->Stop().ok());
  });
  EXPECT_TRUE(ran.finished()) << ran.report;
}

}  // namespace
}  // namespace sluice::server
