"""pgbench as a process: what it says it reached."""
import re
import shutil
import subprocess
import sys

import postgres


def run(port, *arguments, timeout=900):
    """(transactions per second, average latency in ms), None where it only made the tables; exits when any
    transaction failed."""
    command = [shutil.which("pgbench") or f"{postgres.BIN}/pgbench", "-h", "127.0.0.1", "-p", str(port),
               "-U", "falcon", *arguments, "postgres"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    output = result.stdout + result.stderr
    failed = re.search(r"number of failed transactions: (\d+)", output)
    has_errors = "aborted" in output or "ERROR" in output or "error:" in output
    if result.returncode != 0 or has_errors or (failed and failed.group(1) != "0"):
        sys.exit(f"{' '.join(command)}: exit {result.returncode}\n{output[-4000:]}")
    tps = re.search(r"tps = ([\d.]+)", output)
    latency = re.search(r"latency average = ([\d.]+)", output)
    return (float(tps.group(1)), float(latency.group(1))) if tps else None
