# SPDX-License-Identifier: Apache-2.0
"""Spark structured streaming (`./x fetch engines`; its Kafka jars from Maven Central) from Kafka into Iceberg."""
import json
import os
import subprocess
import sys

from machine import ROOT
from peers import install
from rounds import NotRun

ENGINES = ROOT / ".deps" / "engines"


def stream(kafka, topic, folder):
    """Everything in the topic into a new table below `folder`."""
    if not (ENGINES / "python").exists():
        raise NotRun("Spark is not there: ./x fetch engines")
    jars = [*install.jars("spark").glob("*.jar"), *(ENGINES / "jars").glob("iceberg-spark-runtime*.jar")]
    jars = [jar for jar in jars if not jar.name.startswith(("scala-library", "slf4j-api"))]  # Spark has its own
    result = subprocess.run([sys.executable, install.HERE / "spark_job.py", f"127.0.0.1:{kafka.port}", topic, str(folder), ",".join(map(str, jars))],
                            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ENGINES / "python")}, timeout=900)
    if result.returncode != 0:
        problems = [line for line in result.stderr.splitlines() if "Error" in line or "Exception" in line]
        raise RuntimeError(f"Spark: {(problems or result.stderr.splitlines() or ['it failed'])[-1]}")
    return json.loads(result.stdout.splitlines()[-1])
