"""TPC-B against a real server whose memtables are small, so that writers are held back: its sums agree,
P95 and P99 are there, and the time writers were held back is counted by the server.
"""
import argparse
import json
import os
import sys

import gatekit
from falconserver import Server


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the binaries")
    parser.add_argument("--clients", default="8")
    parser.add_argument("--seconds", default="10")
    options = parser.parse_args()
    with gatekit.scratch() as scratch:
        server = Server(os.path.join(options.bin, "falcondb"), os.path.join(scratch, "data"),
                        os.path.join(scratch, "log"))
        export = os.path.join(scratch, "tpcb.json")
        server.start()
        try:
            ran = gatekit.run(
                os.path.join(options.bin, "falcon-bench"), "tpcb", f"--port={server.port}", "--init",
                f"--clients={options.clients}", f"--seconds={options.seconds}",
                f"--admin-addr=127.0.0.1:{server.admin_port}", "--export", "json", export)
        finally:
            ended = server.stop()
        print(ran.stdout[-1500:])
        if ran.returncode != 0:
            sys.exit(f"tpcb exits {ran.returncode}: {ran.stderr[-1000:]}")
        if ended != 0:
            sys.exit(f"the server exits {ended}: {server.tail()}")
        with open(export) as file:
            figures = next(w for w in json.load(file)["workloads"] if w["name"] == "tpcb")
    latency = figures["latency"]
    throttling = figures.get("throttling")
    print(f"tpcb: {figures['operations']} transactions, P95 {latency['p95_micros']} us, "
          f"P99 {latency['p99_micros']} us, max {latency['max_micros']} us, throttling {throttling}")
    if figures["failed"] != 0:
        sys.exit(f"{figures['failed']} transactions failed")
    if not 0 < latency["p95_micros"] <= latency["p99_micros"] <= latency["max_micros"]:
        sys.exit("the percentiles are not in order")
    if throttling is None:
        sys.exit("the server's backpressure was not counted")


if __name__ == "__main__":
    main()
