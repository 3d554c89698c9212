"""The worked example of docs/operations/falconctl.md, line by line as the page has it, against a server of its own.
With --transcript: prints what a terminal shows."""
import argparse
import os
import re
import shlex
import subprocess
import tempfile

from claims import check, finish
from falconserver import Server

PAGE = os.path.join(os.path.dirname(__file__), "../../docs/operations/falconctl.md")


def commands():
    """The first block behind the page's heading."""
    with open(PAGE) as file:
        return re.search(r"^## A worked example$.*?^```\n(.*?)^```$", file.read(), re.M | re.S)[1].splitlines()


def script(lines, port):
    """Each line is printed as it is in the page, and then run in one shell, with the port that the server has."""
    run = [re.sub(r"\bPGPORT=\d+", f"PGPORT={port}", line) for line in lines]
    return "\n".join(f"printf '%s\\n' {shlex.quote('$ ' + shown)}\n{line}" for shown, line in zip(lines, run))


def prepared(server):
    """The slot that the example looks at, with something to see."""
    connection = server.connect(user="postgres", database="postgres")
    connection.query("create table orders (id int primary key, item text)")
    connection.query("select pg_create_logical_replication_slot('orders', 'falcon')")
    connection.query("insert into orders values (1, 'one'), (2, 'two')")
    connection.query("update orders set item = 'zwei' where id = 2")
    connection.close()


def example(bin_folder, directory):
    """What a terminal shows, and the exit status of the last line."""
    config = os.path.join(directory, "falcondb.toml")
    with open(config, "w") as file:
        file.write('[archive]\ndirectory = "' + os.path.join(directory, "backup") + '"\ntimeout = "1s"\n')
    server = Server(os.path.join(bin_folder, "falcondb"), os.path.join(directory, "data"),
                    os.path.join(directory, "server.log"), ("--config", config))
    with server.start():
        prepared(server)
        done = subprocess.run(
            ["bash", "-c", script(commands(), server.port)], cwd=directory, text=True, timeout=120,
            env={**os.environ, "PATH": f"{os.path.abspath(bin_folder)}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        server.stop()
    return done.stdout, done.returncode


def operator_example(binary, directory):
    """A part of the suite lifecycle: the page's example does what the page says."""
    place = os.path.join(directory, "example")
    os.mkdir(place)
    shown, status = example(os.path.dirname(os.path.abspath(binary)), place)
    check("the worked example of falconctl runs to its end", status == 0, (status, shown))
    check("and makes the backup that it lists", len(re.findall(r"\bnightly\b", shown)) >= 2, shown)
    check("and moves the slot on", re.search(r"^0/[0-9A-F]+$", shown.split("slot advance")[-1], re.M), shown)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of falcondb and falconctl")
    parser.add_argument("--transcript", action="store_true", help="print what a terminal shows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="falcon-operator-") as directory:
        if options.transcript:
            print(example(options.bin, directory)[0], end="")
        else:
            operator_example(os.path.join(options.bin, "falcondb"), directory)
            finish()


if __name__ == "__main__":
    main()
