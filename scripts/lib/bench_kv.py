"""Rounds of falcon-bench kv and RocksDB's db_bench, in turn, with the same flags and values.

Each group begins with a fresh directory. In both a write without --sync returns once the operating
system has it (db_bench with --manual_wal_flush=false), so returned writes survive SIGKILL. Debian's
RocksDB is built with assertions; "to release" compares with what RocksDB's own release build would
reach: Debian's figure times the factor measured once for that workload (docs/performance/engine.md).
A factor marked ~ is that of the nearest workload measured.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import bench_encryption

ROWS = {  # row: (title, release factor, is it measured, must, aim)
    "fillseq": ("fillseq", 1.5, True, 1.0, 1.5),
    "ingest": ("bulk load", 1.5, False, 1.0, 1.5),
    "fillrandom": ("fillrandom", 1.75, True, 1.2, 2.0),
    "overwrite": ("overwrite", 1.5, True, 1.2, 2.0),
    "fillrandom-sync8": ("fillrandom sync, 8 threads", 1.1, True, 1.2, 2.0),
    "readrandom": ("readrandom, cached", 1.27, True, 1.0, 1.5),
    "readmissing": ("readmissing", 1.2, True, 1.0, 2.0),
    "readrandom8": ("readrandom, 8 threads", 1.27, False, 1.0, 1.5),
    "readwhilewriting": ("readwhilewriting", 1.27, False, 1.0, 1.5),
    "seekrandom": ("seekrandom + 10 nexts", 1.0, True, 1.0, 1.3),
    "readseq": ("readseq", 1.15, True, 0.8, 1.2),
    "readreverse": ("readreverse", 1.15, False, 1.0, 1.5),
}
LINE = re.compile(r"^(\w+)\s*:\s+[\d.]+ micros/op (\d+) ops/sec")
FOUND = re.compile(r"\((\d+) of (\d+) found\)")
PERCENTILE = re.compile(r"(P[\d.]+): ([\d.]+)")
KEY_SIZE = 16
# db_bench cannot ingest: fillseq without a log is its fastest load. It leaves the last memtables
# unflushed and syncs nothing; our files are verified, ingested and durable when the clock stops.
IN_ROCKSDB = {"ingest": "fillseq"}
# Ends a group: sizes are of all that was written, and not of what happened to be flushed.
SETTLE = ("flush", "waitforcompaction")


def groups(options):
    """Groups of steps: one step is one process on the group's directory. Of a workload named twice
    the second counts: the first fills the cache."""
    eighth = max(options.num // 8, 1)
    return [
        ("sequential", [
            (["fillseq", "waitforcompaction", "readseq", "readreverse", *SETTLE], [],
             {"fillseq": "fillseq", "readseq": "readseq", "readreverse": "readreverse"}),
        ]),
        ("bulk", [(["ingest"], [], {"ingest": "ingest"})]),
        ("random", [
            (["fillrandom", "waitforcompaction", "readrandom", "readrandom", "readmissing",
              "seekrandom", "overwrite", *SETTLE], ["--seek_nexts=10"],
             {name: name for name in
              ("fillrandom", "readrandom", "readmissing", "seekrandom", "overwrite")}),
            (["readrandom", "readrandom"],
             ["--use_existing_db=1", "--threads=8", f"--reads={eighth}"],
             {"readrandom": "readrandom8"}),
            (["readrandom", "readwhilewriting"], ["--use_existing_db=1"],
             {"readwhilewriting": "readwhilewriting"}),
        ]),
        ("synced", [
            (["fillrandom"], ["--sync=1", "--threads=8", f"--writes={options.sync_writes}"],
             {"fillrandom": "fillrandom-sync8"}),
        ]),
    ]


def chosen(options):
    """The groups with what --only leaves of them: fills that others need stay."""
    if not options.only:
        return groups(options)
    left = []
    for name, steps in groups(options):
        kept = []
        for number, (benchmarks, flags, rows) in enumerate(steps):
            rows = {b: r for b, r in rows.items() if r in options.only}
            benchmarks = [b for b in benchmarks if b in rows or b in SETTLE
                          or (number == 0 and b.startswith("fill"))
                          or (b == "readrandom" and "readwhilewriting" in rows)]
            kept.append((benchmarks, flags, rows))
        while kept and not kept[-1][2]:
            kept.pop()
        kept = [step for number, step in enumerate(kept) if number == 0 or step[2]]
        if kept:
            left.append((name, kept))
    return left


def flags(options):
    return [f"--num={options.num}", f"--key_size={KEY_SIZE}", f"--value_size={options.value_size}",
            f"--cache_size={options.cache_size}", "--bloom_bits=10",
            f"--compression_type={options.compression}", "--compression_ratio=0.5",
            "--write_buffer_size=67108864", "--block_size=4096", "--max_background_jobs=2",
            *options.flag]


def room(options):
    """Bytes that one directory may take at its largest: tables before and while they are compacted,
    and the log with its spare segments. Only one directory exists at a time."""
    return 3 * options.num * (KEY_SIZE + options.value_size) + (1 << 30)


def stolen_millis():
    """What the host has taken of the processors' time, in ms of all of them together."""
    with open("/proc/stat") as lines:
        return int(lines.readline().split()[8]) * 1000 // os.sysconf("SC_CLK_TCK")


def minutes(options):
    """From the rates on two cores: a whole round of both programs takes some 3 minutes with 2 million
    keys, and longer in proportion."""
    whole = 3.0 * options.num / 2e6 * options.rounds
    return whole if not options.only else whole * len(options.only) / len(ROWS)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def files_of(folder):
    return [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]


def rocksdb_written(folder):
    """Bytes of tables that db_bench's flushes and compactions wrote, from its event log."""
    total = 0
    for path in files_of(folder):
        if not os.path.basename(path).startswith("LOG"):
            continue
        with open(path, errors="replace") as log:
            for line in log:
                at = line.find("EVENT_LOG_v1 ")
                if at >= 0 and '"table_file_creation"' in line:
                    total += json.loads(line[at + 13:]).get("file_size", 0)
    return total


class Bench:
    """Runs both programs and keeps what they printed."""

    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        self.falcon = os.path.join(options.bin, "falcon-bench")
        self.extra, self.machine, self.paced = [], None, None
        self.rates, self.hits, self.limits = {}, {}, {}
        self.open_rounds = {"falcon": [], "rocksdb": []}
        self.space, self.tables, self.amplification = {}, {}, {}

    def calibrate(self):
        path = os.path.join(self.scratch, "limits.json")
        progress("calibrating")
        subprocess.run([self.falcon, "calibrate", "--dir", self.scratch, "--export", "json", path],
                       check=True, stdout=subprocess.DEVNULL)
        self.extra = [f"--calibration={path}"]
        with open(path) as export:
            values = {limit["name"]: limit["value"] for limit in json.load(export)["limits"]}
        self.paced = [values[name] / 1000 for name in ("paced_loads_p99_9", "paced_loads_max")]

    def run(self, who, folder, benchmarks, more):
        """The last line of each workload as (ops/sec, found share), and the whole output or export."""
        # What earlier runs left to the kernel to write is not this one's.
        os.sync()
        names = {name: name if who == "falcon" else IN_ROCKSDB.get(name, name)
                 for name in benchmarks}
        has_log = names == {name: name for name in benchmarks}
        arguments = ["--benchmarks=" + ",".join(names[name] for name in benchmarks), f"--db={folder}",
                     *flags(self.options), *more]
        export = os.path.join(self.scratch, "export.json")
        if who == "falcon":
            command = [self.falcon, "kv", *arguments, *self.extra, "--export", "json", export]
        else:
            command = ["db_bench", *arguments, "--manual_wal_flush=false",
                       f"--disable_wal={'false' if has_log else 'true'}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=7200)
        if done.returncode != 0:
            sys.exit(f"{who} exits {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
        found = {}
        for line in done.stdout.splitlines():
            match = LINE.match(line.strip())
            if match:
                # db_bench prints a count for each thread.
                counts = [tuple(map(int, pair)) for pair in FOUND.findall(line)]
                asked = sum(pair[1] for pair in counts)
                hits = sum(pair[0] for pair in counts) / asked if asked else None
                found[match[1]] = (float(match[2]), hits)
        for name in benchmarks:
            if name not in SETTLE and names[name] not in found:
                sys.exit(f"{who} printed no line for {name}:\n{done.stdout[-2000:]}")
        found.update({name: found[theirs] for name, theirs in names.items() if theirs in found})
        if who != "falcon":
            return found, done.stdout
        with open(export) as file:
            return found, json.load(file)

    def round(self, number):
        for group, steps in chosen(self.options):
            for who in ("falcon", "rocksdb"):
                folder = os.path.join(self.scratch, who)
                shutil.rmtree(folder, ignore_errors=True)
                for index, (benchmarks, more, rows) in enumerate(steps):
                    found, output = self.run(who, folder, benchmarks,
                                             [f"--seed={number + 1}", *more])
                    for name, row in rows.items():
                        self.rates.setdefault((row, who), []).append(found[name][0])
                        self.hits.setdefault((row, who), found[name][1])
                        progress(f"round {number + 1} {who:8}{row:18}{found[name][0]:12.0f} ops/s")
                    if who == "falcon":
                        self.keep_export(output, rows)
                    if index == 0 and group not in ("synced", "bulk"):
                        self.keep_space(group, who, folder, output, benchmarks)
                shutil.rmtree(folder, ignore_errors=True)
            if self.options.open_loop and any("overwrite" in rows for _, _, rows in steps):
                self.open_loop(number)

    def keep_export(self, document, rows):
        self.machine = document["machine"]
        for result in document["workloads"]:
            if result["name"] in rows and result["limit"]:
                self.limits.setdefault(rows[result["name"]], []).append(result["limit"]["ratio"])

    def keep_space(self, group, who, folder, output, benchmarks):
        paths = files_of(folder)
        self.space.setdefault((group, who), []).append(sum(map(os.path.getsize, paths)))
        self.tables.setdefault((group, who), []).append(
            sum(os.path.getsize(path) for path in paths if path.endswith(".sst")))
        if who == "falcon":
            written = output["written"]["flushed_bytes"] + output["written"]["compacted_bytes"]
        else:
            written = rocksdb_written(folder)
        writes = sum(name in ("fillseq", "fillrandom", "overwrite") for name in benchmarks)
        given = writes * self.options.num * (KEY_SIZE + self.options.value_size)
        self.amplification.setdefault((group, who), []).append(written / given)

    def open_loop(self, number):
        """Overwrite at 70 % of each side's median rate so far, a fresh directory each, right after the
        round's own closed loop: what the machine gives may change between rounds. Ours from the
        intended start; db_bench's rate limiter hides the wait, so its figures leave that out."""
        for who, found in self.open_rounds.items():
            found.append(self.open_loop_round(who, number))

    def open_loop_round(self, who, number):
        rate = int(statistics.median(self.rates[("overwrite", who)]) * 0.7)
        folder = os.path.join(self.scratch, who)
        shutil.rmtree(folder, ignore_errors=True)
        progress(f"open loop {number + 1} of {self.options.rounds}, {who}: overwrite at {rate} ops/s")
        self.run(who, folder, ["fillrandom", "waitforcompaction"], [f"--seed={number + 1}"])
        entry = KEY_SIZE + self.options.value_size
        pace = (f"--open_loop_ops_per_sec={rate}" if who == "falcon"
                else f"--benchmark_write_rate_limit={rate * entry}")
        taken = stolen_millis()
        found, output = self.run(who, folder, ["overwrite"],
                                 ["--use_existing_db=1", "--histogram=1",
                                  f"--seed={number + 101}", pace])
        taken = stolen_millis() - taken
        shutil.rmtree(folder, ignore_errors=True)
        if who == "falcon":
            result = output["workloads"][0]
            figures = [result["latency"][f"{p}_micros"] / 1000
                       for p in ("p50", "p95", "p99", "p99_9", "max")]
            stalls = result["throttling"]["stalls"]
        else:
            percentiles = dict(PERCENTILE.findall(output))
            figures = [float(percentiles[p]) / 1000 if p in percentiles else None
                       for p in ("P50", "P95", "P99", "P99.9")]
            figures.append(float(re.search(r"Max: (\d+)", output)[1]) / 1000)
            stalls = None
        return rate, found["overwrite"][0], *figures, stalls, taken


def open_loop_rows(rounds):
    """A row a round, and one of medians: it is what is judged."""
    for who, found in rounds.items():
        name = "FalconDB" if who == "falcon" else "RocksDB, wait left out"
        columns = [[value for value in column if value is not None] for column in zip(*found)]
        middle = [statistics.median(column) if column else None for column in columns]
        verdict = "" if who != "falcon" else "must" if middle[5] <= 5 and not middle[7] else "BELOW"
        for label, row, word in [*((f"{name}, {i + 1}", row, "") for i, row in enumerate(found)),
                                 (f"{name}, median", middle, verdict)]:
            yield [label, cell(row[0], 0), cell(row[1], 0), *(cell(v, 3) for v in row[2:7]),
                   cell(row[7], 0), cell(row[8], 0), word]


def cell(value, decimals):
    return "-" if value is None else f"{value:.{decimals}f}" if isinstance(value, float) else str(value)


def table(head, rows, markdown):
    if markdown:
        return "\n".join("| " + " | ".join(row) + " |"
                         for row in [head, ["---"] * len(head), *rows])
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join("  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                               for i, (text, width) in enumerate(zip(row, widths)))
                     for row in [head, *rows])


def throughput(bench):
    head = ["workload", "FalconDB ops/s", "RocksDB ops/s", "ratio", "to release", "must", "aim",
            "verdict"] + (["of limit"] if bench.extra else [])
    rows = []
    for row, (title, factor, is_measured, must, aim) in ROWS.items():
        if (row, "falcon") not in bench.rates:
            continue
        ours, theirs = (statistics.median(bench.rates[(row, who)]) for who in ("falcon", "rocksdb"))
        ratio = ours / theirs
        release = ratio / factor
        verdict = "aim" if release >= aim else "must" if release >= must else "BELOW"
        hits = [bench.hits[(row, who)] for who in ("falcon", "rocksdb")]
        # Keys change during readwhilewriting.
        if None not in hits and abs(hits[0] - hits[1]) > 0.01 and row != "readwhilewriting":
            verdict += f", found {hits[0]:.3f} and {hits[1]:.3f}"
        rows.append([title, f"{ours:.0f}", f"{theirs:.0f}", f"{ratio:.2f}",
                     ("" if is_measured else "~") + f"{release:.2f}", f"{must:.1f}", f"{aim:.1f}",
                     verdict])
        if bench.extra:
            limit = bench.limits.get(row)
            rows[-1].append(f"{statistics.median(limit):.2f}" if limit else "-")
    return head, rows


def amplification(bench):
    head = ["after", "figure", "FalconDB", "RocksDB", "verdict"]
    rows = []
    for group in dict.fromkeys(key[0] for key in bench.space):
        for title, values, scale in (("write amplification (tables)", bench.amplification, 1),
                                     ("tables, MB", bench.tables, 1e6),
                                     ("directory with log, MB", bench.space, 1e6)):
            ours, theirs = (statistics.median(values[(group, who)]) / scale
                            for who in ("falcon", "rocksdb"))
            rows.append([group, title, f"{ours:.2f}", f"{theirs:.2f}",
                         # The log's kept and spare segments are a constant, not amplification.
                         "" if title.startswith("directory")
                         else "must" if ours <= theirs * 1.005 else "BELOW"])
    return head, rows


def commit():
    def git(*arguments):
        done = subprocess.run(["git", *arguments], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""
    name = git("rev-parse", "--short", "HEAD") or "unknown"
    return name + (" with changes" if git("status", "--porcelain", "-uno") else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of falcon-bench")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds; medians count")
    parser.add_argument("--num", type=int, default=2000000, help="keys")
    parser.add_argument("--value-size", type=int, default=100, help="bytes of a value")
    parser.add_argument("--cache-size", type=int, default=512 << 20, help="bytes of block cache")
    parser.add_argument("--compression", default="lz4", help="none, lz4 or zstd")
    parser.add_argument("--sync-writes", type=int, default=1000,
                        help="synced writes of each of the 8 threads")
    parser.add_argument("--only", action="append", choices=sorted(ROWS),
                        help="a row; fills it needs run too")
    parser.add_argument("--flag", action="append", default=[], help="passed to both programs")
    parser.add_argument("--open-loop", action="store_true",
                        help="in each round also overwrite at 70 %% of this run's median rate so far")
    parser.add_argument("--calibrate", action="store_true",
                        help="measure the machine first; adds the ratio to its limits")
    parser.add_argument("--encryption", action="store_true",
                        help="instead: FalconDB alone without and with encryption")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/performance")
    options = parser.parse_args()
    if options.encryption:
        print(bench_encryption.measure(options, flags(options), progress, table))
        return
    if options.open_loop and options.only and "overwrite" not in options.only:
        options.only.append("overwrite")
    scratch = tempfile.mkdtemp(prefix="falcon-bench-kv-")
    need, free = room(options), shutil.disk_usage(scratch).free
    progress(f"{options.rounds} rounds of {options.num} keys: up to {need / 1e9:.1f} GB in {scratch} "
             f"({free / 1e9:.1f} GB free), about {minutes(options):.0f} minutes")
    if free < need:
        os.rmdir(scratch)
        sys.exit("not enough room: fewer keys (--num), or another disk (TMPDIR)")
    bench = Bench(options, scratch)
    try:
        if options.calibrate:
            bench.calibrate()
        for number in range(options.rounds):
            bench.round(number)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

    machine = bench.machine or {}
    print(f"Commit {commit()}; {machine.get('cores')} cores, {machine.get('processor')}, "
          f"{(machine.get('memory_bytes') or 0) / 2**30:.0f} GiB, Linux {machine.get('kernel')}, "
          f"{machine.get('file_system')}. {options.rounds} rounds in turn, medians; "
          "fresh directories, the round as seed.\n")
    fence = "```" if options.markdown else ""
    print("\n".join(filter(None, [fence, " ".join(flags(options)), fence])) + "\n")
    print(table(*throughput(bench), options.markdown))
    print("\nRatios above 1: FalconDB is faster. ~: the release factor of the nearest workload.\n")
    if bench.space:
        print(table(*amplification(bench), options.markdown))
    if options.open_loop:
        print("\nOverwrite at 70 % of the median rate, milliseconds; must: p99.9 at most 5, no stall "
              "of 100. Taken: what the host gave to others of the processors' time meanwhile.\n")
        print(table(["open loop", "target ops/s", "reached", "p50", "p95", "p99", "p99.9", "max",
                     "stalls", "taken", "verdict"],
                    list(open_loop_rows(bench.open_rounds)), options.markdown))
        if bench.paced:
            print("\nThe machine alone, dependent loads at 70 % of their own median rate: "
                  f"p99.9 {bench.paced[0]:.3f}, max {bench.paced[1]:.3f} ms.")


if __name__ == "__main__":
    main()
