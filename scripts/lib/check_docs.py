"""What the documents name is there: scripts, the modes of scripts/soak, suites of scripts/test, gates, files, sources
of a module, links. Each suite and each gate has its line in a document."""
import glob
import os
import re
import sys

DOCUMENTS = ["README.md", "CHANGELOG.md", *sorted(glob.glob("docs/**/*.md", recursive=True))]
NAMED = re.compile(r"(?<![\w/.-])((?:scripts|docs|Fixtures|Tests|Tools|Sources)/[\w./+-]*\w)")
OF_MODULE = re.compile(r"`(Falcon\w+/[\w./+-]+)`")
#: The commands whose words the documents may name, and the document that has a line for each; none for modes.
COMMANDS = {"soak": None, "test": "docs/operations/suites.md", "ci_storage_gate.sh": "docs/operations/survival.md",
            "ci_phase1_gates.sh": "docs/operations/survival.md"}


def words(path, pattern):
    with open(path) as file:
        return set(re.findall(r"\w+", re.search(pattern, file.read(), re.M)[1]))


def modes():
    with open("scripts/soak") as file:
        return {mode for line in re.findall(r"^(\w+(?: \| \w+)*)\)$", file.read(), re.M) for mode in line.split(" | ")}


def gates(path):
    with open(path) as file:
        return set(re.findall(r"^gate (\w+)", file.read(), re.M))


def problems(document, text, known):
    for path in sorted(set(NAMED.findall(text))):
        if not os.path.exists(path):
            yield f"{path} is not there"
    for path in sorted(set(OF_MODULE.findall(text))):
        if not os.path.exists(os.path.join("Sources", path)):
            yield f"Sources/{path} is not there"
    for command, name in sorted(set(re.findall(rf"scripts/({'|'.join(COMMANDS)}) ([a-z]+)", text))):
        if name not in known[command]:
            yield f"scripts/{command} knows no {name}"
    for link in sorted(set(re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", text))):
        if not os.path.exists(os.path.join(os.path.dirname(document), link)):
            yield f"the link {link} leads nowhere"
    for command, where in COMMANDS.items():
        if where == document:
            for name in sorted(known[command] - set(re.findall(r"^\| (\w+) \|", text, re.M))):
                yield f"scripts/{command} {name} has no line"


def main():
    known = {"soak": modes(), "test": words("scripts/test", r'^suites="(.*)"$'),
             **{name: gates(f"scripts/{name}") for name in COMMANDS if name.startswith("ci_")}}
    found = 0
    for document in DOCUMENTS:
        with open(document) as file:
            for problem in problems(document, file.read(), known):
                print(f"{document}: {problem}")
                found += 1
    print(f"docs: {found} problem(s)")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
