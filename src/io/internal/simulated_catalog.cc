// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"
#include "io/internal/simulation.h"

namespace sluice::io {
namespace {

using Rows = SimulatedCatalogRows;

Result<void> InsertTable(Rows& rows, const Rows::TableName& name, const std::string& location) {
  if (!rows.tables.try_emplace(name, CatalogRow{location, {}}).second)
    return Error{ErrorCode::kExists, "\"" + name.first + "." + name.second + "\" is in the catalog already", {}};
  return {};
}

Result<void> SwapRow(Rows& rows, const Rows::TableName& name, const std::string& expected, const std::string& next) {
  auto row = rows.tables.find(name);
  if (row == rows.tables.end() || row->second.metadata_location != expected)
    return Error{ErrorCode::kConflict, "\"" + name.first + "." + name.second + "\" is no longer at \"" + expected + "\"",
                 "load the table again and repeat the commit"};
  row->second = {next, expected};
  return {};
}

Result<void> RemoveTable(Rows& rows, const Rows::TableName& name) {
  if (rows.tables.erase(name) == 0)
    return Error{ErrorCode::kNotFound, "table \"" + name.first + "." + name.second + "\" is not in the catalog", {}};
  return {};
}

class SimulatedCatalogStore final : public CatalogStore {
 public:
  explicit SimulatedCatalogStore(IoGate& gate) : gate_(gate) {}

  Result<std::vector<std::string>> ListNamespaces() override {
    return Query("list namespaces", "", [&]() -> Result<std::vector<std::string>> {
      std::map<std::string, bool> names;
      for (auto& [name, properties] : rows().namespaces) names[name] = true;
      for (auto& [name, row] : rows().tables) names[name.first] = true;
      std::vector<std::string> out;
      for (auto& [name, present] : names) out.push_back(name);
      return out;
    });
  }

  Result<void> CreateNamespace(const std::string& name, const std::map<std::string, std::string>& properties) override {
    return Change("create namespace", name, [=](Rows& rows) -> Result<void> {
      rows.namespaces.try_emplace(name, properties);
      return {};
    });
  }

  Result<std::vector<std::string>> ListTables(const std::string& table_namespace) override {
    return Query("list tables", table_namespace, [&]() -> Result<std::vector<std::string>> {
      std::vector<std::string> out;
      for (auto& [name, row] : rows().tables)
        if (name.first == table_namespace) out.push_back(name.second);
      return out;
    });
  }

  Result<std::optional<CatalogRow>> LoadTable(const std::string& table_namespace, const std::string& table) override {
    return Query("load table", table, [&]() -> Result<std::optional<CatalogRow>> {
      auto& simulation = gate_.simulation();
      const auto lie = gate_.process() == kOutside ? CatalogLie() : options().catalog_lie;
      return simulation.catalog_lies.Answer(lie, {table_namespace, table}, rows(), simulation.scheduler.now_ns());
    });
  }

  Result<void> CreateTable(const std::string& table_namespace, const std::string& table, const std::string& metadata_location) override {
    const Rows::TableName name{table_namespace, table};
    return Change("create table", table, MayLie(name, [=](Rows& rows) { return InsertTable(rows, name, metadata_location); }));
  }
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected,
                         const std::string& next) override {
    const Rows::TableName name{table_namespace, table};
    return Change("swap table", next, MayLie(name, [=](Rows& rows) { return SwapRow(rows, name, expected, next); }));
  }
  Result<void> DropTable(const std::string& table_namespace, const std::string& table) override {
    return Change("drop table", table, [=](Rows& rows) { return RemoveTable(rows, {table_namespace, table}); });
  }

 private:
  using Changing = std::function<Result<void>(Rows&)>;
  Rows& rows() { return gate_.simulation().catalog; }
  SeededRandom& random() { return gate_.simulation().fault_random; }
  const SimulationOptions& options() { return gate_.simulation().options; }

  // A change of one table. It may outlive this process.
  Changing MayLie(const Rows::TableName& name, const Changing& change) {
    return [&simulation = gate_.simulation(), name, change](Rows& rows) -> Result<void> {
      const Rows before = rows;
      RETURN_IF_ERROR(change(rows));
      simulation.catalog_lies.OnChange(simulation.options.catalog_lie, name, before, rows, simulation.scheduler.now_ns());
      return {};
    };
  }

  template <class Answer>
  auto Query(std::string_view call, const std::string& subject, Answer answer) -> decltype(answer()) {
    return gate_.Perform(call, subject, 0, [&](bool) -> decltype(answer()) {
      LandLateChanges();
      if (gate_.Fault(options().catalog_unavailable)) return Unavailable();
      return answer();
    });
  }

  Result<void> Change(std::string_view call, const std::string& subject, const Changing& change) {
    return gate_.Perform(call, subject, base::Crc32c(subject), [&](bool) -> Result<void> {
      LandLateChanges();
      if (gate_.Fault(options().catalog_unavailable)) return Unavailable();
      if (!gate_.Fault(options().catalog_unknown)) return change(rows());
      if (random().Coin()) (void)change(rows());
      else if (options().catalog_late && random().Coin()) rows().late.push_back(change);
      return Error{ErrorCode::kCommitUnknown, "commit to the catalog: no answer", "read the table again before the next commit"};
    });
  }

  // A change whose sender was told nothing may still arrive, in any order.
  void LandLateChanges() {
    auto& late = rows().late;
    for (size_t i = 0; i < late.size();) {
      if (random().Coin()) {
        i++;
        continue;
      }
      auto change = std::move(late[i]);
      late.erase(late.begin() + static_cast<std::ptrdiff_t>(i));
      (void)change(rows());
    }
  }

  static Error Unavailable() { return Error{ErrorCode::kUnavailable, "the catalog does not answer", {}}; }

  IoGate& gate_;
};

}  // namespace

std::unique_ptr<CatalogStore> MakeSimulatedCatalogStore(IoGate& gate) { return std::make_unique<SimulatedCatalogStore>(gate); }

}  // namespace sluice::io
