# SPDX-License-Identifier: Apache-2.0
"""pip whose downloads go on where they stopped: PYTHON resuming_pip.py FOLDER ARGUMENTS...

It is the pip of that Python, with its indexes, proxies, certificates and passwords; only where it would read a package from the
network, the package first comes into FOLDER (resume.py). Whole files that a requirements file pins stay there for the next run.
"""
import contextlib
import pathlib
import re
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from pip._internal.cli.main import main  # noqa: E402
from pip._internal.network.session import PipSession  # noqa: E402
from pip._vendor.requests import Response  # noqa: E402
from pip._vendor.requests.structures import CaseInsensitiveDict  # noqa: E402
from pip._vendor.urllib3.exceptions import HTTPError  # noqa: E402
from x import resume  # noqa: E402

ordinary_request = PipSession.request


class Answer:
    def __init__(self, response):
        self.response, self.status, self.headers = response, response.status_code, response.headers

    def read(self, size):
        try:
            return self.response.raw.read(size, decode_content=False)
        except HTTPError as error:
            raise ConnectionError(str(error)) from error


def request(session, method, url, *arguments, **options):
    """Stands in for PipSession.request. pip asks for packages, and only for them, as streams."""
    headers = options.pop("headers", None) or {}
    if method.upper() != "GET" or not options.get("stream") or "Range" in headers:
        return ordinary_request(session, method, url, *arguments, headers=headers, **options)

    @contextlib.contextmanager
    def ask(more):
        with ordinary_request(session, method, url, *arguments, headers={**headers, **more}, **options) as response:
            yield Answer(response)

    part = folder / urllib.parse.unquote(urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1])
    try:
        is_wanted = resume.into(part, ask, wanted.__contains__) in wanted
    except resume.Refused as refused:
        return refused.answer.response  # pip says what is wrong with it
    return from_file(part, url, stays=is_wanted)


def from_file(part, url, stays):
    response = Response()
    response.status_code, response.url, response.reason = 200, url, "OK"
    response.headers = CaseInsensitiveDict({"content-length": str(part.stat().st_size)})
    response.raw = open(part, "rb")
    if not stays:
        part.unlink()
    return response


def pinned(arguments):
    """The SHA-256 sums in the files after -r."""
    files = [pathlib.Path(value) for flag, value in zip(arguments, arguments[1:]) if flag == "-r"]
    return {checksum for file in files for checksum in re.findall(r"--hash=sha256:(\w{64})", file.read_text())}


if __name__ == "__main__":
    folder, arguments = pathlib.Path(sys.argv[1]), sys.argv[2:]
    wanted = pinned(arguments)
    PipSession.request = request
    sys.exit(main(arguments))
