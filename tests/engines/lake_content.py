# SPDX-License-Identifier: Apache-2.0
"""What is sent, and the rows that must come of it. Bodies are written as text, because `data` must arrive byte for byte."""

import base64
import datetime
import json
import os
import pathlib

QUAKES = pathlib.Path(os.environ["SLUICE_DATASETS"]) / "earthquakes.json"
SEND_QUAKES = ["--records", "/features", "--sort", "time", "--map",
               "id=/id,source=https://earthquake.usgs.gov,type=gov.usgs.{/properties/type},time=/properties/time,subject=/properties/place"]
CONFIG = """\
topics:
  raw-quakes: {partitioning: "identity(type), day(time)"}
routing:
  rules: [{type: "gov.usgs.*", topic: raw-quakes}]
"""
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
LAST = "\U0010fffd"  # the last character that an attribute may hold


def expected_quakes():
    rows = []
    for feature in json.loads(QUAKES.read_text())["features"]:
        properties = feature["properties"]
        rows.append({"id": feature["id"], "source": "https://earthquake.usgs.gov", "type": f"gov.usgs.{properties['type']}", "subject": properties["place"],
                     "time": EPOCH + datetime.timedelta(milliseconds=properties["time"]), "specversion": "1.0", "tenant": "default"})
    return rows


class Body:
    """One event: its attributes, and its data member as the text that stands in the body."""

    def __init__(self, id, source="/engines", type="engine.test", time="2026-01-15T10:00:00Z", data=None, data_base64=None, **attributes):
        self.attributes = {"specversion": "1.0", "id": id, "source": source, "type": type, "time": time, **attributes}
        self.data, self.data_base64 = data, data_base64

    def text(self):
        members = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in self.attributes.items()]
        members += [f'"data": {self.data}'] if self.data is not None else []
        members += [f'"data_base64": "{base64.b64encode(self.data_base64).decode()}"'] if self.data_base64 is not None else []
        return "{" + ", ".join(members) + "}"


def batch(bodies):
    return "[" + ",\n".join(body.text() for body in bodies) + "]"


FULL = Body(
    "full", source="/süd/東京", type="engine.full", time="2026-01-15T10:00:00.123456789+01:00", subject="größe \U0001f30d", datacontenttype="application/json",
    dataschema="https://example.com/schema/1", data='{ "ä" : 1.50,\t"b":[ 1, 2e3 ],"big":12345678901234567890123, "s":"\\u00e4\\"" }',
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate="vendor=opaque", partitionkey="one", sequence="0000000007",
    correlationid="corr-1", causationid="cause-1", schemaversion="2.1", region="eu-süd", answer=42, flag=True)


def requests():
    """[(bodies, whether a flush follows)]"""
    first = [
        FULL,
        Body("nothing", type="engine.bare", partitionkey="one"),
        Body("binary", data_base64=bytes(range(256)), datacontenttype="application/octet-stream", partitionkey="one"),
        Body("empty binary", data_base64=b"", datacontenttype="application/octet-stream", partitionkey="one"),
        Body("text", data='"plain \\u00e9 text"', datacontenttype="text/plain", partitionkey="one"),
        Body("empty text", data='""', datacontenttype="text/plain", partitionkey="one"),
        Body("json string", data='""', partitionkey="one"),
        Body("json null", data="null", partitionkey="one"),
        Body("deep", data="[" * 50 + "]" * 50, partitionkey="one"),
        # An hour before what came into the same log partition: behind the watermark.
        Body("late", time="2026-01-15T08:00:00Z", partitionkey="one"),
    ]
    bounds = [Body(f"{start}{tail}", type="engine.bounds", subject=f"{start}{tail}", partitionkey="one", time=f"2026-01-15T12:{n:02d}:00Z")
              for n, (start, tail) in enumerate([(LAST * 20, ""), ("a" * 16, "x"), ("a" * 16, ""), ("\ud7ff" * 16, "z"), ("é" * 40, "!"), ("\U0001f30d" * 17, "")])]
    hours = [Body(f"hour-{n:03d}", type=f"engine.t{n % 3}", time=f"2026-01-{16 + n // 24:02d}T{n % 24:02d}:59:59.999999Z", data=json.dumps({"n": n}), partitionkey=f"key-{n}")
             for n in range(72)]
    before_1970 = [Body("old", type="engine.old", time="1969-12-31T23:59:59.999999Z", partitionkey="two")]
    return [(first, False), (bounds, True), (hours + before_1970, True)]


COLUMNS_OF_EXTENSIONS = {"traceparent": "traceparent", "tracestate": "tracestate", "partitionkey": "partitionkey", "sequence": "sequence",
                         "correlationid": "correlationid", "causationid": "causationid", "schemaversion": "schema_version"}
CONTEXT = ("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema")


def expected(bodies):
    return [_expected(body) for body in bodies]


def _expected(body):
    attributes = body.attributes
    row = {name: attributes.get(name) for name in CONTEXT if name != "time"}
    row["time"] = _time(attributes["time"])
    row |= {column: attributes.get(name) for name, column in COLUMNS_OF_EXTENSIONS.items()}
    others = {name: _text(value) for name, value in attributes.items() if name not in CONTEXT and name not in COLUMNS_OF_EXTENSIONS}
    is_json = attributes.get("datacontenttype", "application/json") == "application/json"
    row |= {
        "data": body.data if body.data is None or is_json else json.loads(body.data),
        "data_binary": body.data_base64,
        "extensions": others or None,
        "schema_id": None, "tenant": "default", "producer": None,
        "is_late_arrival": body.attributes["id"] in ("late", "old"),
    }
    return row


def _time(text):
    """RFC 3339, cut to microseconds."""
    head, _, tail = text.partition(".")
    if tail:
        digits = "".join(c for c in tail if c.isdigit())[: len(tail.rstrip("Z").split("+")[0])]
        zone = tail[len(digits):]
        text = f"{head}.{digits[:6]}{zone}"
    return datetime.datetime.fromisoformat(text).astimezone(UTC)


def _text(value):
    """CloudEvents: canonical text of a boolean or an integer."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
