"""What the documents name is there: scripts, the modes of scripts/soak, suites of scripts/test, files, links."""
import glob
import os
import re
import sys

DOCUMENTS = ["README.md", "CHANGELOG.md", *sorted(glob.glob("docs/**/*.md", recursive=True))]
NAMED = re.compile(r"(?<![\w/.-])((?:scripts|docs|Fixtures|Tests|Sources)/[\w./+-]*\w)")


def words(path, pattern):
    with open(path) as file:
        return set(re.findall(r"\w+", re.search(pattern, file.read(), re.M)[1]))


def modes():
    with open("scripts/soak") as file:
        return {mode for line in re.findall(r"^(\w+(?: \| \w+)*)\)$", file.read(), re.M) for mode in line.split(" | ")}


def problems(document, text, known):
    for path in sorted(set(NAMED.findall(text))):
        if not os.path.exists(path):
            yield f"{path} is not there"
    for command, name in sorted(set(re.findall(r"scripts/(soak|test) ([a-z]+)", text))):
        if name not in known[command]:
            yield f"scripts/{command} knows no {name}"
    for link in sorted(set(re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", text))):
        if not os.path.exists(os.path.join(os.path.dirname(document), link)):
            yield f"the link {link} leads nowhere"


def main():
    known = {"soak": modes(), "test": words("scripts/test", r'^suites="(.*)"$')}
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
