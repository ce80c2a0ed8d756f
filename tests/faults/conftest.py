# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "e2e")]

import sluice_server  # noqa: E402


@pytest.fixture(autouse=True)
def no_server_stays():
    yield
    for server in sluice_server.Server.started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    sluice_server.Server.started.clear()
