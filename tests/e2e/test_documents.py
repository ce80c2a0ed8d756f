# SPDX-License-Identifier: Apache-2.0
"""What the documents tell a reader to type is typed here: every `sh` block of README and guide, in order, on one server."""

import os
import pathlib
import re
import subprocess

import pytest

from sluice_server import BINARY, ROOT, Server

DOCUMENTS = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs/guide").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(document):
    return [b for b in BLOCK.findall((ROOT / document).read_text()) if not b.startswith("sluice serve")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_of_the_document_work(document, data, tmp_path):
    found = blocks(document)
    assert found, f"{document} has no commands"
    with Server(data) as server:
        environment = {**os.environ, "SLUICE_URL": server.url, "PATH": f"{BINARY.parent}:{os.environ['PATH']}"}
        for block in found:
            script = "set -eu\n" + block.replace("http://127.0.0.1:8080", server.url)
            done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            assert done.stdout.strip(), f"no answer to:\n{block}"


@pytest.mark.parametrize("page, file", [("cli", "cli.md"), ("config", "configuration.md"), ("errors", "errors.md")])
def test_reference_page_is_what_the_binary_prints(page, file):
    printed = subprocess.run([str(BINARY), "docs", page], capture_output=True, text=True, check=True, timeout=60).stdout
    assert (ROOT / "docs/reference" / file).read_text() == printed, f"renew it: sluice docs {page} > docs/reference/{file}"
