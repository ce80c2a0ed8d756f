# SPDX-License-Identifier: Apache-2.0
"""Kafka (Maven Central): one broker, driven by its own kafka-producer-perf-test. Batches of 256 KiB compressed with LZ4 are the settings that
served it best; the default of 16 KiB would be a straw man."""
import re
import subprocess

from measure import events_file, used_by
from peers import install
from peers.peer import Peer
from rounds import NotRun
from server import free_port

# As kafka-server-start.sh starts it.
_BROKER = ["-Xms1G", "-Xmx1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35", "-Djava.awt.headless=true"]
_CLUSTER = "c2x1aWNlLWJlbmNoLWthZg"


class Kafka(Peer):
    def __init__(self, synced=True):
        super().__init__()
        self.synced = synced

    def start(self):
        self.classes = f"{install.jars('kafka')}/*"
        config = self.write_config("kafka.properties", controller_port=free_port())
        self.run("kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", config)
        with open(self.folder / "server.log", "w") as log:
            self.spawn([self.java(), *_BROKER, "-cp", self.classes, "kafka.Kafka", config], stdout=log, stderr=subprocess.STDOUT)
        self.wait_for_port()
        self.create_topic("warm")

    @staticmethod
    def java():
        return install.debian("java", "openjdk-17-jre-headless")

    def run(self, *command):
        result = subprocess.run([str(c) for c in (self.java(), "-Xmx1g", "-cp", self.classes, *command)], capture_output=True, text=True, timeout=300)
        if result.returncode != 0:
            raise NotRun(f"{command[0]}: {(result.stderr or result.stdout).strip().splitlines()[-1:]}")
        return result.stdout

    def create_topic(self, name, partitions=1):
        synced = ["--config", "flush.messages=1"] if self.synced else []
        self.run("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", f"127.0.0.1:{self.port}", "--create", "--topic", name,
                 "--partitions", partitions, "--replication-factor", 1, *synced)

    def produce(self, topic, events, rate=-1, **settings):
        """Events of the load by one producer, acks=all. Returns rate and latencies as its tool counts them: in whole milliseconds, from send."""
        settings = {"acks": "all", "batch.size": 262144, "linger.ms": 5, "compression.type": "lz4", "buffer.memory": 67108864} | settings
        with used_by(self, lambda: events) as figures:
            out = self.run("org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", events, "--throughput", rate,
                           "--payload-file", events_file(), "--producer-props", f"bootstrap.servers=127.0.0.1:{self.port}",
                           *(f"{k}={v}" for k, v in settings.items()))
        last = out.strip().splitlines()[-1]
        found = re.search(r"([\d.]+) records/sec.* (\d+) ms 50th, \d+ ms 95th, (\d+) ms 99th, (\d+) ms 99.9th", last)
        if found is None:
            raise NotRun(f"its producer said: {last}")
        return figures | {"events_per_second": float(found[1]), "latency_us": {"p50": int(found[2]) * 1000, "p99": int(found[3]) * 1000, "p999": int(found[4]) * 1000}}

    def send_file(self, topic, file):
        """Each line once, by its console producer."""
        with open(file) as lines:
            subprocess.run([self.java(), "-Xmx1g", "-cp", self.classes, "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", f"127.0.0.1:{self.port}",
                            "--topic", topic, "--producer-property", "batch.size=262144", "--producer-property", "linger.ms=5"],
                           stdin=lines, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)

    def append(self, seconds):
        """A first part warms broker and topic up."""
        self.create_topic("events")
        expected = 500_000 if self.synced else 700_000
        self.produce("warm", 600_000)
        return self.produce("events", int(expected * seconds))
