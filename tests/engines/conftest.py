# SPDX-License-Identifier: Apache-2.0
"""One server, two tables with their rows, one reader of each kind: made once, because Spark takes seconds to start."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "e2e")]
os.environ["TZ"] = "UTC"
time.tzset()

import lake_content  # noqa: E402
import readers  # noqa: E402
from sluice_server import BINARY, Server  # noqa: E402


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("engines") / "data"


@pytest.fixture(scope="session")
def server(data):
    config = data.with_name("sluice.yaml")
    config.write_text(lake_content.CONFIG)
    with Server(data, "--config", str(config)) as running:
        yield running


@pytest.fixture(scope="session")
def quakes(server):
    """Sends the earthquakes; returns what bronze.quakes must hold, column by column as far as the sender knows."""
    subprocess.run([BINARY, "send", "--url", server.url, lake_content.QUAKES, *lake_content.SEND_QUAKES], check=True, timeout=300)
    server.flush("bronze.quakes")
    return lake_content.expected_quakes()


@pytest.fixture(scope="session")
def events(server):
    """Sends the events with everything in them, in three requests and two snapshots; returns the rows that bronze.events must hold."""
    expected = []
    for bodies, last in lake_content.requests():
        answer = server.post("/v1/events", lake_content.batch(bodies), "application/cloudevents-batch+json")
        assert answer.status == 200, answer.body
        expected += [{**row, "log_partition": place["partition"], "log_offset": place["offset"]}
                     for row, place in zip(lake_content.expected(bodies), answer.json()["results"], strict=True)]
        if last:
            server.flush("bronze.events")
    return expected


@pytest.fixture(scope="session")
def spark(data, server, quakes, events):
    reader = readers.Spark(data)
    yield reader
    reader.close()


@pytest.fixture(scope="session")
def every_reader(data, spark):
    return [readers.PyIceberg(data), readers.DuckDb(data), spark]
