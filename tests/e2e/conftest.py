# SPDX-License-Identifier: Apache-2.0
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import sluice_server  # noqa: E402

SANITIZER_REPORT = re.compile(r"(WARNING: Thread|ERROR: \w+)Sanitizer|runtime error: ")


@pytest.fixture(autouse=True)
def no_server_stays():
    """A test that failed has not stopped its servers, and the next ones need the memory and the disk."""
    before = len(sluice_server.Server.started)  # those belong to several tests
    yield
    servers = sluice_server.Server.started[before:]
    del sluice_server.Server.started[before:]
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    # A sanitizer build: a worker of SQL that is wrong may not fail its statement.
    assert not [line for server in servers for line in server.log if SANITIZER_REPORT.search(line)]


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def server(data):
    with sluice_server.Server(data) as running:
        yield running
