# SPDX-License-Identifier: Apache-2.0
"""The tables as an independent reader sees them: PyIceberg on the catalog file."""

from pyiceberg.catalog import load_catalog


def open_catalog(data):
    return load_catalog("sluice", type="sql", uri=f"sqlite:///{data}/catalog.db", warehouse=f"file://{data}/warehouse")


def load_table(data, name="bronze.events"):
    return open_catalog(data).load_table(name)


def read_rows(data, name="bronze.events"):
    return load_table(data, name).scan().to_arrow().to_pylist()
