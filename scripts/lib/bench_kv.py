"""Rounds of falcon-bench kv and RocksDB's db_bench, in turn, with the same flags and values.

Each workload group begins with a fresh directory. Debian's RocksDB is built with assertions; the
column "release" compares with what RocksDB's own release build would reach: Debian's figure times
the factor measured once for that workload (docs/performance/engine.md).
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

# The workloads of one group run in one process on one directory.
GROUPS = [
    ["fillseq", "readseq", "readreverse"],
    ["fillrandom", "readrandom", "readmissing", "seekrandom", "overwrite", "readwhilewriting",
     "deleterandom"],
    ["fillsync"],
]
RELEASE = {"fillseq": 1.5, "fillrandom": 1.75, "overwrite": 1.5, "readrandom": 1.27,
           "readmissing": 1.2, "readseq": 1.15, "seekrandom": 1.0}
LINE = re.compile(r"^(\w+)\s*:\s+([\d.]+) micros/op (\d+) ops/sec.*?(?:\((\d+) of (\d+) found\))?$")


def flags(options):
    return [f"--num={options.num}", "--key_size=16", f"--value_size={options.value_size}",
            "--threads=1", f"--cache_size={options.cache_size}", "--bloom_bits=10",
            f"--compression_type={options.compression}", "--compression_ratio=0.5",
            "--write_buffer_size=67108864", "--block_size=4096", "--max_background_jobs=2",
            *options.flag]


def size_of(folder):
    return sum(os.path.getsize(os.path.join(where, name))
               for where, _, names in os.walk(folder) for name in names)


def run(command, name):
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        sys.exit(f"{name} exits {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    found = {}
    for line in done.stdout.splitlines():
        match = LINE.match(line.strip())
        if match:
            hits = int(match[4]) / int(match[5]) if match[5] and int(match[5]) else None
            found[match[1]] = (float(match[2]), int(match[3]), hits)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--num", type=int, default=1000000)
    parser.add_argument("--value-size", type=int, default=100)
    parser.add_argument("--cache-size", type=int, default=256 << 20)
    parser.add_argument("--compression", default="lz4")
    parser.add_argument("--only", action="append", help="a workload; fills it needs run too")
    parser.add_argument("--flag", action="append", default=[], help="passed to both programs")
    options = parser.parse_args()
    programs = {"falcon": [os.path.join(options.bin, "falcon-bench"), "kv"],
                "rocksdb": ["db_bench"]}
    groups = GROUPS
    if options.only:
        groups = [[g[0], *(w for w in g[1:] if w in options.only)]
                  for g in GROUPS if any(w in options.only for w in g)]
    scratch = tempfile.mkdtemp(prefix="falcon-bench-kv-")
    results, sizes = {}, {}
    print("flags: " + " ".join(flags(options)))
    print(f"{options.rounds} rounds in turn, fresh directories, seed as the round; without --sync "
          "a write returns once the operating system has it", flush=True)
    try:
        for number in range(options.rounds):
            for group in groups:
                for who, program in programs.items():
                    folder = os.path.join(scratch, who)
                    shutil.rmtree(folder, ignore_errors=True)
                    found = run([*program, "--benchmarks=" + ",".join(group), f"--db={folder}",
                                 f"--seed={number + 1}", *flags(options),
                                 *(["--writes=1000"] if group == ["fillsync"] else [])], who)
                    for name in group:
                        if name not in found:
                            sys.exit(f"{who} printed no line for {name}")
                        results.setdefault((name, who), []).append(found[name])
                    sizes.setdefault((group[0], who), []).append(size_of(folder))
                    shutil.rmtree(folder, ignore_errors=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

    names = [name for group in groups for name in group]
    print(f"\n{'workload':18}{'FalconDB':>10}{'RocksDB':>10}  micros/op"
          f"{'ratio':>8}{'release':>9}   found")
    for name in names:
        row = {who: statistics.median(r[0] for r in results[(name, who)]) for who in programs}
        ratio = row["rocksdb"] / row["falcon"]
        factor = RELEASE.get(name)
        release = f"{ratio / factor:9.2f}" if factor else f"{'-':>9}"
        hits = [results[(name, who)][0][2] for who in programs]
        found = "" if hits[0] is None else f"{hits[0]:.3f} / {hits[1]:.3f}"
        if hits[0] is not None and abs(hits[0] - hits[1]) > 0.01 and name != "readwhilewriting":
            found += "  DIFFER"
        print(f"{name:18}{row['falcon']:10.3f}{row['rocksdb']:10.3f}{'':11}"
              f"{ratio:8.2f}{release}   {found}")
    print("\nratio above 1: FalconDB is faster. Files at the end, median MB (write-ahead log included):")
    for group in groups:
        row = [statistics.median(sizes[(group[0], who)]) / 1e6 for who in programs]
        print(f"  after {group[0]} …: FalconDB {row[0]:.1f}, RocksDB {row[1]:.1f}")


if __name__ == "__main__":
    main()
