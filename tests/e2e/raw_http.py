# SPDX-License-Identifier: Apache-2.0
"""HTTP byte by byte: for requests that no client library would send."""

import http.client
import io
import socket

from sluice_server import Answer


class Raw:
    """One connection."""

    def __init__(self, url, timeout=60):
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """The rest of what a server does not want to read any more is not sent."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def receive(self):
        """Everything until the server closes, as one answer; None: it closed without one."""
        data = b""
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return parse(data)


def parse(data):
    if not data:
        return None

    class Bytes:
        def makefile(self, *_):
            return io.BytesIO(data)

    response = http.client.HTTPResponse(Bytes())
    response.begin()
    return Answer(response.status, response.headers, response.read())


def exchange(url, data):
    """Sends `data`, and answers what comes until the server closes the connection."""
    with Raw(url) as connection:
        connection.send(data)
        return connection.receive()


def head(method, path, headers):
    lines = [f"{method} {path} HTTP/1.1", "host: test", *[f"{name}: {value}" for name, value in headers]]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
