# SPDX-License-Identifier: Apache-2.0
"""What the documents say is true: every `sh` block of README, guide and http.md is typed, in order, on one server; tables of
routes, metrics and columns are those of the binary."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from lake import load_table
from sluice_server import BINARY, ROOT, Server, event

DOCUMENTS = ["README.md", "docs/reference/http.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs/guide").glob("*.md"))]
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


@pytest.mark.parametrize("page, file", [("cli", "cli.md"), ("config", "configuration.md"), ("errors", "errors.md"), ("metrics", "metrics.md")])
def test_reference_page_is_what_the_binary_prints(page, file):
    printed = subprocess.run([str(BINARY), "docs", page], capture_output=True, text=True, check=True, timeout=60).stdout
    assert (ROOT / "docs/reference" / file).read_text() == printed, f"renew it: sluice docs {page} > docs/reference/{file}"


def test_links_and_paths_in_documents_lead_somewhere():
    lost = []
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("README.md"), *(ROOT / "tests").rglob("README.md")]
    for page in sorted(page for page in pages if page.name != "roadmap.md"):  # which names what is not there yet
        text = page.read_text()
        links = [page.parent / link for link in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in link]
        paths = [ROOT / path for path in re.findall(r"`((?:src|tests|tools|docs|bench)/[\w./-]+)`", text)]
        lost += [f"{page.relative_to(ROOT)}: {path}" for path in links + paths if not path.exists()]
    assert not lost


def rows_of_tables(document):
    """Cells of every table row, code marks off."""
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in (ROOT / document).read_text().splitlines() if line.startswith("| ")]


def test_routes_of_http_md_are_those_of_the_openapi_document(server):
    paths = server.get("/openapi.json").json()["paths"]
    served = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    documented = {(row[0], row[1]) for row in rows_of_tables("docs/reference/http.md") if row[0] in ("GET", "POST") and row[1].startswith("/")}
    assert documented == served


def test_examples_of_the_openapi_document_are_taken_as_they_stand(server):
    """Every body, and every type of answer where a client can choose one."""
    document = server.get("/openapi.json").json()
    tried = 0
    for path, methods in document["paths"].items():
        for operation in (o for o in methods.values() if "requestBody" in o):
            answers = operation["responses"]["200"]["content"]
            for content_type, media in operation["requestBody"]["content"].items():
                for answer in answers if "example" in media else []:
                    example = media["example"]
                    body = example if isinstance(example, str) else json.dumps(example)
                    got = server.post(path.replace("{topic}", "raw-shop"), body, content_type, {"accept": answer})
                    assert (got.status, got.headers["content-type"].split(";")[0]) == (200, answer), (path, content_type, got.body)
                    tried += 1
    assert tried >= 2 * 3 + 2 * 4


def test_columns_of_bronze_md_are_those_of_a_table(server):
    server.send([event(1)])
    columns = server.get("/v1/tables/bronze/events").json()["columns"]
    names = {"map": "map<string,string>"}
    served = [[str(c["id"]), c["name"], names.get(c["type"]["type"]) if isinstance(c["type"], dict) else c["type"], "yes" if c["required"] else "no"] for c in columns]
    assert [row[:4] for row in rows_of_tables("docs/formats/bronze.md") if row[0].isdigit()] == served


def test_properties_of_bronze_md_are_those_of_a_new_table(server, data):
    server.send([event(1)])
    server.flush()
    properties = {k: v for k, v in load_table(data).properties.items() if not k.startswith("sluice.")}
    documented = {}
    for row in rows_of_tables("docs/formats/bronze.md"):
        if row[0].startswith("write."):
            first, *others = [name.strip(" `") for name in row[0].split(",")]
            for name in [first, *(first.rsplit(".", 1)[0] + other.removeprefix("..") for other in others)]:
                documented[name] = row[1]
    assert documented == properties


def test_every_metric_in_the_code_and_on_the_wire_is_documented(server):
    documented = {row[0] for row in rows_of_tables("docs/reference/metrics.md")}
    in_code = {name for file in (ROOT / "src").rglob("*") if file.suffix in (".h", ".cc") and not file.name.endswith("_test.cc")
               for name in re.findall(r'MetricFamily k\w+\{"(sluice_\w+)"', file.read_text())}
    assert in_code, "the pattern no longer finds the families"
    assert in_code <= documented, "add them to src/server/metric_families.cc, then: sluice docs metrics > docs/reference/metrics.md"
    server.send([event(1)])
    server.flush()
    server.sql("SELECT count(*) FROM bronze.events")
    exposed = {line.split()[2] for line in server.get("/metrics").body.decode().splitlines() if line.startswith("# TYPE ")}
    assert exposed <= documented
