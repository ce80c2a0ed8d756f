# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import sluice_server  # noqa: E402


@pytest.fixture(autouse=True)
def no_server_stays():
    """A test that failed has not stopped its servers, and the next ones need the memory and the disk."""
    before = len(sluice_server.Server.started)  # those belong to several tests
    yield
    for server in sluice_server.Server.started[before:]:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    del sluice_server.Server.started[before:]


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def server(data):
    with sluice_server.Server(data) as running:
        yield running
