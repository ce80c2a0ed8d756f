# SPDX-License-Identifier: Apache-2.0
"""Spark's part: from a Kafka topic into an Iceberg table partitioned by type and hour, exactly once, duplicates within a day removed; until
everything that was in the topic at the start is in the table. Run by spark.py with Spark's Python packages."""
import json
import pathlib
import re
import sys
import time

from pyspark.sql import SparkSession, functions

ATTRIBUTES = "specversion string, id string, source string, type string, time timestamp, subject string, datacontenttype string, data string"
EVENTS_A_BATCH = 500_000


def main(servers, topic, folder, jars):
    spark = (SparkSession.builder.master("local[2]").config("spark.jars", jars).config("spark.driver.memory", "4g").config("spark.ui.enabled", "false")
             .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.streaming.stateStore.providerClass", "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider")
             .config("spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled", "true")
             .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog").config("spark.sql.catalog.lake.type", "hadoop")
             .config("spark.sql.catalog.lake.warehouse", f"file://{folder}/warehouse").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bronze")
    spark.sql(f"CREATE TABLE lake.bronze.events ({ATTRIBUTES}) USING iceberg PARTITIONED BY (type, hours(time)) "
              "TBLPROPERTIES ('write.parquet.compression-codec' = 'zstd', 'write.parquet.compression-level' = '1')")
    events = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", servers).option("subscribe", topic).option("startingOffsets", "earliest")
              .option("maxOffsetsPerTrigger", EVENTS_A_BATCH).load()
              .select(functions.from_json(functions.col("value").cast("string"), ATTRIBUTES).alias("event")).select("event.*")
              .withWatermark("time", "24 hours").dropDuplicatesWithinWatermark(["id"]))
    began = time.monotonic()
    query = (events.writeStream.format("iceberg").outputMode("append").option("checkpointLocation", f"{folder}/checkpoint").option("fanout-enabled", "true")
             .trigger(availableNow=True).toTable("lake.bronze.events"))
    query.awaitTermination()
    seconds = time.monotonic() - began
    rows, ids = spark.sql("SELECT count(*), count(DISTINCT id) FROM lake.bronze.events").collect()[0]
    size = spark.sql("SELECT sum(file_size_in_bytes) FROM lake.bronze.events.files").collect()[0][0]
    java = spark.sparkContext._gateway.proc.pid
    peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{java}/status").read_text())[1]) * 1024
    print(json.dumps({"rows": rows, "ids": ids, "seconds": seconds, "bytes_per_row": size / rows, "memory": {"peak": peak}}))


main(*sys.argv[1:])
