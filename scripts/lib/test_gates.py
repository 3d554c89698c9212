"""Each gate passes on the real binaries and fails, and says why, when what it guards is broken: a tool that
finds nothing, a bench that ignores its memory budget, a server that does not wait for its log.

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


def with_config(edit, more=""):
    """A server whose configuration is the one that it is given, edited by sed, and `more`."""
    return ('a=(); c="$0.$$.toml"; while [ $# -gt 0 ]; do '
            f'if [ "$1" = --config ]; then shift; sed \'{edit}\' "$1" > "$c"; else a+=("$1"); fi; shift; done; '
            f'printf \'{more}\' >> "$c"; exec "$REAL" "${{a[@]}}" --config "$c"')


BUFFERED = with_config("", r'[storage]\ndurability = "buffered"\n')

# gate, its script, and how it is broken: what the gate then says, and program -> shell text that stands for it
# (REAL is the real one).
QUICK = [
    ("sst", "ci_storage_gate.sh", [("not reported", {"sst-verify": FINDS_NOTHING})]),
    ("wal", "ci_storage_gate.sh", [
        ("wal-inspect exits 0, the engine", {"wal-inspect": '"$REAL" "$@" | sed s/corruption/info/; exit 0'})]),
    ("errors", "ci_phase1_gates.sh", [
        ("cdc-tail with no arguments exits 0", {"cdc-tail": '"$REAL" "$@"; exit 0'})]),
    ("prepared", "ci_phase1_gates.sh", [
        ("are in doubt", {"falcondb": with_config("d")}),
        ("decided transfers are missing", {"falcondb": with_config(r"s/&& echo commit/\&\& echo rollback/")}),
        ("prepared: round", {"falcondb": BUFFERED}),
    ]),
    ("tpcb", "ci_phase1_gates.sh", [
        ("backpressure was not counted",
         {"falcon-bench": 'a=(); for x; do [[ $x == --admin-addr=* ]] || a+=("$x"); done; "$REAL" "${a[@]}"'})]),
]
SLOW = [
    ("memory", "ci_storage_gate.sh", [
        ("RssAnon rises",
         {"falcon-bench": 'a=(); for x; do [[ $x == --memory_budget=* ]] || a+=("$x"); done; '
                          'exec "$REAL" "${a[@]}" --cache_size=2147483648 --write_buffer_size=536870912'})]),
    ("kill", "ci_phase1_gates.sh", [("acknowledged", {"falcondb": BUFFERED})]),
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


def passes(script, gate, binary, root=ROOT, **environment):
    result = subprocess.run(
        [os.path.join(root, "scripts", script), gate], capture_output=True, text=True, timeout=900,
        env={**os.environ, "FALCON_BIN": binary, **environment})
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
        for gate, script, ways in QUICK + (SLOW if options.all else []):
            good, output = passes(script, gate, binary)
            if not good:
                problems.append(f"{gate} fails on the real binaries:\n{output[-1500:]}")
            print(f"gate {gate}: {'passes' if good else 'FAILS'} whole", flush=True)
            for number, (said, broken) in enumerate(ways):
                folder = broken_folder(os.path.join(scratch, f"{gate}{number}"), binary, broken)
                # What is never decided need not be waited for as long, and what a failed run keeps goes with us.
                bad, output = passes(script, gate, folder, FALCON_IN_DOUBT_LIMIT="5", TMPDIR=scratch)
                if bad or said not in output:
                    problems.append(f"{gate} {'passes' if bad else 'fails and does not say ' + repr(said)} though "
                                    f"{', '.join(broken)} is broken:\n{output[-1500:]}")
                print(f"gate {gate}: {'PASSES' if bad else 'fails'} broken: {said}", flush=True)
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
