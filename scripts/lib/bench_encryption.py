"""scripts/bench-kv --encryption: falcon-bench kv without and with encryption, in turn; medians and ratios."""
import json
import os
import shutil
import statistics
import subprocess
import tempfile

# What is measured: (title, must).
ROWS = {
    "put": ("put in batches of 100", 0.9),
    "sync": ("synced put, one thread", 0.9),
    "flush": ("flush of one memtable, MB/s", 0.8),
    "get": ("cached get", 0.98),
}


def measure(options, kv_flags, progress, table):
    """The table of all rounds. One memtable takes all keys, so that the flush is of known size."""
    rates = {}
    scratch = tempfile.mkdtemp(prefix="falcon-bench-encryption-")
    try:
        for number in range(options.rounds):
            for is_on in (0, 1) if number % 2 == 0 else (1, 0):
                for name, rate in one(options, kv_flags, scratch, number, is_on).items():
                    rates.setdefault((name, is_on), []).append(rate)
                    progress(f"round {number + 1} {'with' if is_on else 'without':8} {name:6} {rate:12.0f}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    rows = []
    for name, (title, must) in ROWS.items():
        off, on = (statistics.median(rates[(name, is_on)]) for is_on in (0, 1))
        rows.append([title, f"{off:.0f}", f"{on:.0f}", f"{on / off:.3f}", f"{must}",
                     "must" if on / off >= must else "BELOW"])
    return table(["encryption", "without", "with", "ratio", "must", "verdict"], rows, options.markdown)


def one(options, kv_flags, scratch, number, is_on):
    entry = 16 + options.value_size
    memtable = f"--write_buffer_size={max(64 << 20, 3 * options.num * entry)}"
    common = [f"--encryption={is_on}", f"--seed={number + 1}", *kv_flags]
    done = run(options, scratch, common + [
        "--benchmarks=fillrandom,flush,waitforcompaction,readrandom,readrandom", "--batch_size=100", memtable])
    # The first pass of reads fills the cache.
    put, flush, _, _, get = done
    synced, = run(options, scratch, common + [
        "--benchmarks=fillrandom", "--sync=1", f"--writes={20 * options.sync_writes}"])
    return {"put": put["ops_per_sec"], "flush": options.num * entry / 1e6 / flush["seconds"],
            "get": get["ops_per_sec"], "sync": synced["ops_per_sec"]}


def run(options, scratch, flags):
    folder, export = os.path.join(scratch, "db"), os.path.join(scratch, "export.json")
    shutil.rmtree(folder, ignore_errors=True)
    os.sync()
    subprocess.run([os.path.join(options.bin, "falcon-bench"), "kv", f"--db={folder}", "--export", "json", export,
                    *flags], check=True, stdout=subprocess.DEVNULL)
    with open(export) as file:
        return json.load(file)["workloads"]
