# SPDX-License-Identifier: Apache-2.0
"""A backup that is taken under load, as a snapshot of the file system is: all of one moment. Restored, it has all that was acknowledged
before that moment, and goes on."""

import json
import shutil
import signal
import subprocess

import pytest

from chain import Chain
from load import Sender, read_all
from recorder import Recorder
from sluice_server import Server, run


def snapshot(server, data, to):
    """The server stands still meanwhile, so that the copy is of one moment; it notices nothing."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        subprocess.run(["cp", "-a", "--reflink=auto", str(data), str(to)], check=True, timeout=60)
        return Recorder.now()
    finally:
        server.process.send_signal(signal.SIGCONT)


def known_at(recorder, moment):
    """The history with the answers that had come by then: what was answered later may have been stored before, or not."""
    with recorder.lock:
        recorder.file.flush()
    lines = [json.loads(line) for line in recorder.path.read_text().splitlines()]
    for line in lines:
        if line["do"] == "send" and line.get("until", moment) >= moment:
            line["outcome"] = "unknown"
            line.pop("places", None)
            line.pop("until", None)
    return [line for line in lines if line["do"] == "send" or line.get("until", 0) < moment]


@pytest.mark.parametrize("number", range(3))
def test_a_snapshot_under_load_has_all_that_was_acknowledged_before(tmp_path, number):
    chain = Chain(tmp_path / "chain", seed=number)
    server = Server(chain.data, *chain.flags)
    senders = [Sender(server.url, chain.recorder, f"{number}-{i}", number * 10 + i, requests=60) for i in range(3)]
    for sender in senders:
        sender.start()
    server.wait_until(lambda: sum(sender.acknowledged for sender in senders) > 100 * (number + 1))
    moment = snapshot(server, chain.data, tmp_path / "backup")
    acknowledged = sum(sender.acknowledged for sender in senders)
    for sender in senders:
        sender.join(timeout=60)
        assert not sender.is_alive()
    assert sum(sender.acknowledged for sender in senders) > acknowledged, "no load behind the snapshot"
    server.kill()
    shutil.rmtree(chain.data)
    shutil.move(tmp_path / "backup", chain.data)
    with pytest.raises(RuntimeError, match="sluice restore"):
        Server(chain.data, *chain.flags)  # a copy is accepted on purpose only
    done = run("restore", "--data", str(chain.data), "--yes")
    assert done.returncode == 0, done.stderr

    restored = Recorder(tmp_path / "restored.ndjson")
    for line in known_at(chain.recorder, moment):
        restored._write(line)
    chain.recorder = restored
    with Server(chain.data, *chain.flags) as again:
        read_all(again, restored, "after the restore")
        Sender(again.url, restored, "afterwards", number, requests=10).run()
    verdict = chain.finish()
    assert not verdict.problems, "\n".join(verdict.problems)
