"""Each gate passes on the real binaries and fails when what it guards is broken: a tool that finds
nothing, a bench that ignores its memory budget, a server that does not wait for its log.

Broken binaries are small scripts in front of the real ones. The gates that are slow to run, and those of
the unit tests, are tried with --all.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FINDS_NOTHING = 'echo \'{"findings":[],"segments":[]}\'; exit 0'

# gate, its script, and what is broken: program -> shell text that stands for it (REAL is the real one).
QUICK = [
    ("sst", "ci_storage_gate.sh", {"sst-verify": FINDS_NOTHING}),
    ("wal", "ci_storage_gate.sh", {"wal-inspect": '"$REAL" "$@" | sed s/corruption/info/; exit 0'}),
    ("errors", "ci_phase1_gates.sh", {"cdc-tail": '"$REAL" "$@"; exit 0'}),
    ("tpcb", "ci_phase1_gates.sh",
     {"falcon-bench": 'a=(); for x; do [[ $x == --admin-addr=* ]] || a+=("$x"); done; "$REAL" "${a[@]}"'}),
]
SLOW = [
    ("memory", "ci_storage_gate.sh",
     {"falcon-bench": 'a=(); for x; do [[ $x == --memory_budget=* ]] || a+=("$x"); done; '
                      'exec "$REAL" "${a[@]}" --cache_size=2147483648 --write_buffer_size=536870912'}),
    ("prepared", "ci_phase1_gates.sh",
     {"falcondb": 'a=(); for x; do [[ $x == --config || $x == *config.toml ]] || a+=("$x"); done; '
                  'exec "$REAL" "${a[@]}"'}),
    ("kill", "ci_phase1_gates.sh",
     {"falcondb": 'c=$(mktemp); printf "[storage]\\ndurability = \\"buffered\\"\\n" > "$c"; '
                  'exec "$REAL" "$@" --config "$c"'}),
]
PROGRAMS = ("falcondb", "falcon-bench", "sst-verify", "wal-inspect", "pitr-restore", "cdc-tail")


def broken_folder(folder, binary, broken):
    """The real programs, those of `broken` replaced."""
    os.makedirs(folder)
    for name in PROGRAMS:
        real, path = os.path.join(binary, name), os.path.join(folder, name)
        if name in broken:
            with open(path, "w") as file:
                file.write(f'#!/usr/bin/env bash\nset -o pipefail\nREAL="{real}"\n{broken[name]}\n')
            os.chmod(path, 0o755)
        else:
            os.symlink(real, path)
    return folder


def passes(script, gate, binary, root=ROOT):
    result = subprocess.run(
        [os.path.join(root, "scripts", script), gate], capture_output=True, text=True, timeout=900,
        env={**os.environ, "FALCON_BIN": binary})
    return result.returncode == 0, result.stdout + result.stderr


def lint_fails(binary, scratch):
    """A trap in the sources of a copy fails the copy's gate."""
    copy = os.path.join(scratch, "copy")
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".build*", ".git", "falcon_data"))
    with open(os.path.join(copy, "Sources", "FalconStorage", "Core", "Broken.swift"), "w") as file:
        file.write("func broken(_ value: Int?) -> Int { value! }\n")
    return not passes("ci_storage_gate.sh", "lint", binary, copy)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the real binaries")
    parser.add_argument("--all", action="store_true", help="the slow gates too")
    options = parser.parse_args()
    binary = os.path.abspath(options.bin)
    problems = []
    scratch = tempfile.mkdtemp(prefix="falcon-gates-")
    try:
        for gate, script, broken in QUICK + (SLOW if options.all else []):
            good, output = passes(script, gate, binary)
            if not good:
                problems.append(f"{gate} fails on the real binaries:\n{output[-1500:]}")
            folder = broken_folder(os.path.join(scratch, gate), binary, broken)
            bad, output = passes(script, gate, folder)
            if bad:
                problems.append(f"{gate} passes though {', '.join(broken)} is broken:\n{output[-1500:]}")
            print(f"gate {gate}: {'passes' if good else 'FAILS'} whole, "
                  f"{'PASSES' if bad else 'fails'} broken", flush=True)
        if not lint_fails(binary, scratch):
            problems.append("lint passes though a force unwrap was added")
        print("gate lint: tried with a force unwrap")
        if passes("ci_storage_gate.sh", "no-such-gate", binary)[0]:
            problems.append("a gate of an unknown name passes")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
