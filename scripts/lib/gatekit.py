"""What the gates share: tools run as processes, a directory to try damage on, damage itself."""
import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import tempfile

CLEAN, USAGE, CORRUPTION, BENIGN = 0, 1, 2, 3


def at_least(least):
    """The type of an option that is a whole number from `least` on."""
    def number(text):
        if not text.lstrip("+").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {least} on")
        return int(text)
    return number


def options(name, description, **counts):
    """The options of a gate that draws, its counts among them; and the draws, whose seed is printed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bin", required=True, help="folder of the binaries")
    for count, default in counts.items():
        parser.add_argument(f"--{count}", type=at_least(1), default=default)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    found = parser.parse_args()
    print(f"{name}: seed {found.seed}")
    return found, random.Random(found.seed)


def run(*command, timeout=300):
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def outcome(*command):
    """(exit code, output, errors)."""
    result = run(*command)
    return result.returncode, result.stdout, result.stderr


def inspect(binary, *arguments):
    """A tool's exit code and its JSON report."""
    result = run(binary, "--format", "json", *arguments)
    try:
        return result.returncode, json.loads(result.stdout)
    except ValueError:
        return result.returncode, {"findings": [], "unreadable": result.stdout[-500:] + result.stderr[-500:]}


def bench(binary, directory, *flags):
    return [os.path.join(binary, "falcon-bench"), "kv", f"--db={directory}", "--value_size=100",
            "--compression_type=lz4", "--bloom_bits=10", *flags]


@contextlib.contextmanager
def scratch():
    path = tempfile.mkdtemp(prefix="falcon-gate-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def files(directory, suffix):
    """Paths with the suffix below the directory, in order of their names."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(directory) for name in names]
    return sorted(path for path in found if path.endswith(suffix))


@contextlib.contextmanager
def copied(source, target):
    """A copy to damage, gone afterwards."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    try:
        yield target
    finally:
        shutil.rmtree(target, ignore_errors=True)


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def flip(path, offset, bit):
    with open(path, "rb") as file:
        file.seek(offset)
        byte = file.read(1)[0]
    overwrite(path, offset, bytes([byte ^ (1 << bit)]))


def names_file(report, path):
    """A corruption finding of the report names the file."""
    return any(f.get("severity") == "corruption"
               and os.path.basename(f.get("file") or "") == os.path.basename(path)
               for f in report.get("findings", []))
