# SPDX-License-Identifier: Apache-2.0
"""The tables as an independent reader sees them: PyIceberg on the catalog file."""

from pyiceberg.catalog import load_catalog


def load_table(data, name="bronze.events"):
    catalog = load_catalog("sluice", type="sql", uri=f"sqlite:///{data}/catalog.db", warehouse=f"file://{data}/warehouse")
    return catalog.load_table(name)


def read_rows(data, name="bronze.events"):
    return load_table(data, name).scan().to_arrow().to_pylist()
