// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The two tables of the Iceberg SQL catalog: word for word what PyIceberg creates, and what the JDBC catalogs of Java, Rust and
// C++ expect (apache/iceberg core/jdbc/JdbcUtil.java, apache/iceberg-python pyiceberg/catalog/sql.py). Never add a column: others insert by list.

namespace sluice::io {

inline constexpr char kCreateTablesTable[] =
    "CREATE TABLE IF NOT EXISTS iceberg_tables (\n"
    "\tcatalog_name VARCHAR(255) NOT NULL, \n"
    "\ttable_namespace VARCHAR(255) NOT NULL, \n"
    "\ttable_name VARCHAR(255) NOT NULL, \n"
    "\tmetadata_location VARCHAR(1000), \n"
    "\tprevious_metadata_location VARCHAR(1000), \n"
    "\ticeberg_type VARCHAR(5), \n"
    "\tPRIMARY KEY (catalog_name, table_namespace, table_name)\n)";
inline constexpr char kCreateNamespaceTable[] =
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (\n"
    "\tcatalog_name VARCHAR(255) NOT NULL, \n"
    "\tnamespace VARCHAR(255) NOT NULL, \n"
    "\tproperty_key VARCHAR(255) NOT NULL, \n"
    "\tproperty_value VARCHAR(1000) NOT NULL, \n"
    "\tPRIMARY KEY (catalog_name, namespace, property_key)\n)";

// A catalog of an older PyIceberg or of Java's schema V0 has no type column; Java adds it by the same statement.
inline constexpr char kAddTypeColumn[] = "ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)";

// The row that makes an empty namespace exist.
inline constexpr char kNamespaceExistsKey[] = "exists";
inline constexpr char kNamespaceExistsValue[] = "true";

// Views live in the same table under another type.
#define SLUICE_CATALOG_IS_TABLE "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)"
inline constexpr char kListNamespaces[] =
    "SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?1 "
    "UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = ?1 ORDER BY 1";
inline constexpr char kFindNamespace[] = "SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ? LIMIT 1";
inline constexpr char kInsertProperty[] =
    "INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value) VALUES (?, ?, ?, ?)";
inline constexpr char kListTables[] =
    "SELECT table_name FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND " SLUICE_CATALOG_IS_TABLE " ORDER BY table_name";
inline constexpr char kLoadTable[] =
    "SELECT metadata_location, previous_metadata_location FROM iceberg_tables "
    "WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND " SLUICE_CATALOG_IS_TABLE;
inline constexpr char kInsertTable[] =
    "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type) "
    "VALUES (?, ?, ?, ?, NULL, 'TABLE')";
inline constexpr char kSwapTable[] =
    "UPDATE iceberg_tables SET metadata_location = ?4, previous_metadata_location = ?5 "
    "WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 AND metadata_location = ?5 AND " SLUICE_CATALOG_IS_TABLE;
inline constexpr char kDropTable[] =
    "DELETE FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND " SLUICE_CATALOG_IS_TABLE;
#undef SLUICE_CATALOG_IS_TABLE

}  // namespace sluice::io
