"""What RocksDB's release build gains over Debian's, whose assertions are on, with synced writes of 8 threads.

python3 scripts/lib/rocksdb_release.py [--rounds 6]: one program (rocksdb_synced.c) linked with Debian's
library and with the release build that PyPI's aimrocks brings along, in turn; medians and their ratio, also
without sync as a check. Needs clang, pip, unzip and rocksdb-tools. bench_kv.py has the factor.
"""
import argparse
import glob
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rocksdb_synced.c")


def build(scratch):
    subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", scratch, "aimrocks==0.5.2"],
                   check=True)
    with zipfile.ZipFile(glob.glob(os.path.join(scratch, "aimrocks*.whl"))[0]) as wheel:
        wheel.extractall(scratch)
    folder = os.path.join(scratch, "aimrocks")
    debian = sorted(glob.glob("/usr/lib/*/librocksdb.so.*"))
    if not debian:
        sys.exit("install rocksdb-tools: its library is not there")
    programs = {}
    for name, library in (("debian", debian[0]), ("release", os.path.join(folder, "librocksdb.so"))):
        programs[name] = os.path.join(scratch, name)
        subprocess.run(["clang", "-O2", f"-I{folder}/include", SOURCE, "-o", programs[name], library,
                        f"-Wl,-rpath,{os.path.dirname(library)}", "-lpthread"], check=True)
    return programs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="falcon-rocksdb-release-")
    try:
        programs = build(scratch)
        for title, arguments in (("synced, 8 threads", ("8", "25000", "1")), ("one thread", ("1", "1000000", "0"))):
            rates = {name: [] for name in programs}
            for _ in range(options.rounds):
                for name, program in programs.items():
                    folder = os.path.join(scratch, "db")
                    shutil.rmtree(folder, ignore_errors=True)
                    done = subprocess.run([program, folder, *arguments], check=True, capture_output=True, text=True)
                    rates[name].append(int(done.stdout))
            debian, release = (statistics.median(rates[name]) for name in ("debian", "release"))
            print(f"{title}: Debian's {debian:.0f}, release {release:.0f} ops/s, factor {release / debian:.2f}", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
