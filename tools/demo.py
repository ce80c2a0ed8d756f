#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo: one week of real earthquakes, sent, asked for while they are hot, moved to Iceberg, asked for again.

Started by ./x demo, which sets SLUICE_BINARY and SLUICE_DATASETS. The earthquakes are those that USGS publishes (public domain).
"""

import argparse
import ctypes
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ["SLUICE_BINARY"]
QUAKES = pathlib.Path(os.environ["SLUICE_DATASETS"]) / "earthquakes.json"
CONFIG = """\
# Written by ./x demo.
topics:
  raw-quakes: {partitioning: "identity(type), day(time)"}
routing:
  rules: [{type: "gov.usgs.*", topic: raw-quakes}]
"""
QUESTION = """\
SELECT type, count(*) AS events, round(max((data->>'$.properties.mag')::DOUBLE), 1) AS strongest, max(time) AS last
FROM bronze.quakes GROUP BY type ORDER BY events DESC, type"""
MAP = "id=/id,source=https://earthquake.usgs.gov,type=gov.usgs.{/properties/type},time=/properties/time,subject=/properties/place"


def run(*words, check=True):
    """Prints a command as somebody would type it, then runs it."""
    print(f"\n$ {shlex.join(words).replace(BINARY, 'sluice', 1)}", flush=True)
    return subprocess.run(words, check=check)


def launch(data, listen):
    config = data.parent / f"{data.name}.yaml"
    config.write_text(CONFIG)
    return subprocess.Popen([BINARY, "serve", "--data", str(data), "--listen", listen, "--config", str(config)],
                            stdout=subprocess.PIPE, stderr=open(data.parent / f"{data.name}.log", "w"), text=True, preexec_fn=stop_with_parent)


def stop_with_parent():
    """The server ends in order when this process does, also where it was killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def url_of(server, data):
    """Waits until the server takes requests."""
    line = server.stdout.readline().strip()
    if not line.startswith("sluice ready "):
        server.wait()
        sys.exit((data.parent / f"{data.name}.log").read_text() or "the server did not start")
    print(line, flush=True)
    return line.split("http=", 1)[1].split()[0]


def lines_to_copy(url, data):
    """One line for each reader, as it can be pasted into any shell. PyIceberg, DuckDB and Spark read the files, not the server."""
    python = ROOT / ".deps/venv/bin/python"
    engines = ROOT / ".deps/engines"
    fetch = f"{ROOT}/x fetch engines"
    catalog, warehouse = data / "catalog.db", f"file://{data}/warehouse"
    pyiceberg = (f"from pyiceberg.catalog import load_catalog as c; print(len(c('sluice', type='sql', uri='sqlite:///{catalog}', "
                 f"warehouse='{warehouse}').load_table('bronze.quakes').scan().to_arrow()))")
    duckdb = (f"import duckdb, sqlite3; [duckdb.load_extension(f'{engines}/python/duckdb_extension_{{e}}/extensions/v{{duckdb.__version__}}/{{e}}.duckdb_extension') "
              f"for e in ('avro', 'iceberg')]; table = sqlite3.connect('{catalog}').execute('SELECT metadata_location FROM iceberg_tables WHERE table_name = ?', ['quakes'])"
              f".fetchone(); print(duckdb.execute('SELECT count(*) FROM iceberg_scan(?)', table).fetchone()[0])")
    settings = {"catalogImplementation": "in-memory", "catalog.sluice": "org.apache.iceberg.spark.SparkCatalog", "catalog.sluice.type": "jdbc",
                "catalog.sluice.uri": f"jdbc:sqlite:{catalog}", "catalog.sluice.warehouse": warehouse}
    spark = " ".join([f"{engines}/python/pyspark/bin/spark-sql --driver-class-path '{engines}/jars/*' --conf spark.ui.enabled=false",
                      *(f"--conf spark.sql.{key}={value}" for key, value in settings.items())])
    print(f"""
The table is plain Iceberg: {data}/warehouse/bronze/quakes
While this runs, in another shell:

curl -s {url}/v1/sql -d "SELECT count(*) FROM bronze.quakes"
{BINARY} sql --url {url} -c "SELECT count(*) FROM bronze.quakes"
{python} -c "{pyiceberg}"

DuckDB and Spark come from PyPI and Maven, once, 450 MB:

{fetch} && {python} -c "{duckdb}"
{fetch} && {spark} -e "SELECT count(*) FROM sluice.bronze.quakes"
""", flush=True)


def main():
    arguments = argparse.ArgumentParser(prog="./x demo", description=__doc__.split("\n")[0])
    arguments.add_argument("--data", default=str(ROOT / "demo-data/sluice"), help="directory of the demo; made anew")
    arguments.add_argument("--listen", default="127.0.0.1:8080", help="HOST:PORT; port 0 takes any free one")
    arguments.add_argument("--once", action="store_true", help="stop the server at the end instead of waiting for Ctrl-C")
    options = arguments.parse_args()
    for end in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: the server must not stay behind
        signal.signal(end, signal.default_int_handler)
    data = pathlib.Path(options.data).resolve()
    shutil.rmtree(data, ignore_errors=True)
    data.parent.mkdir(parents=True, exist_ok=True)
    server = launch(data, options.listen)
    try:
        url = url_of(server, data)
        os.environ["SLUICE_URL"] = url
        count = len(json.loads(QUAKES.read_text())["features"])
        print(f"\n{count} earthquakes of one week (USGS, public domain; npm package vega-datasets), oldest first:")
        run(BINARY, "send", str(QUAKES), "--records", "/features", "--map", MAP, "--sort", "time")
        print("\nThey are in SQL at once, from memory:")
        run(BINARY, "sql", "-c", QUESTION)
        print("\nInto the Iceberg table, and the same answer from there:")
        run(BINARY, "table", "flush", "bronze.quakes")
        run(BINARY, "sql", "-c", QUESTION)
        run(BINARY, "sql", "-c", "SELECT count(*) AS data_files, sum(record_count) AS records FROM bronze.quakes__files")
        lines_to_copy(url, data)
        if not options.once:
            print("Ctrl-C stops the server; `sluice serve --data", str(data) + "` starts it again.", flush=True)
            server.wait()
    except KeyboardInterrupt:
        print()
    except subprocess.CalledProcessError:  # it has said why
        sys.exit("demo: the command above failed")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave the server alone
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
    return server.returncode


if __name__ == "__main__":
    sys.exit(main())
