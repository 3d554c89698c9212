"""Each public declaration of the storage engine says what it is: `///` right above it, attributes between, or above the
first of its group of one-line cases. What a protocol documents needs none: a witness, an override."""
import pathlib
import re
import sys

from deny_unwrap import blank

ROOT = "Sources/FalconStorage"
DECLARATION = re.compile(
    r"^\s*((?:(?:@\w+(?:\([^)]*\))?|(?:private|fileprivate|internal)\(set\)|indirect|\w+)\s+)*?)"
    r"(func|var|let|init|struct|class|actor|enum|protocol|typealias|associatedtype|case|subscript|extension)\b"
    r"[?!]?\s*(.*)$")
ATTRIBUTE = re.compile(r"^\s*(@\w+(\([^)]*\))?\s*)+$")
TYPES = ("struct", "class", "actor", "enum", "protocol", "extension")
#: What protocols of the language document.
WITNESSES = {"description", "debugDescription", "hash", "hashValue", "encode", "rawValue", "==", "<"}
WITNESS_INITIALIZER = re.compile(r"\((?:rawValue:|from decoder:)")


class Scope:
    """An open brace: the kind of type and what of it is known, or code, which declares nothing public."""

    def __init__(self, kind="", is_public=False, header=""):
        self.kind, self.is_public, self.header = kind, is_public, header

    def name(self):
        found = re.search(rf"\b{self.kind}\s+([\w.]+)", self.header)
        return found[1] if found else ""

    def inherited(self):
        """The protocols named, and the extended type, which may be one."""
        named = set(re.findall(r"\w+", self.header.partition(":")[2].partition(" where ")[0]))
        return named | {self.name()} if self.kind == "extension" else named


def is_documented(lines, number):
    number -= 1
    while number >= 0 and ATTRIBUTE.match(lines[number]):
        number -= 1
    return number >= 0 and lines[number].lstrip().startswith("///")


def declarations(text):
    """Of each declaration outside code: index of its line, kind, name, whether it is public, its scope, whether it is
    documented, itself or by the first of its group of cases."""
    lines = text.split("\n")
    scopes, pending, depth, in_group = [], None, 0, False
    for number, line in enumerate(blank(text).split("\n")):
        scope = scopes[-1] if scopes else Scope("file")
        found = DECLARATION.match(line) if depth == 0 and scope.kind and pending is None else None
        if found:
            words, kind, rest = found[1].split(), found[2], found[3]
            if kind == "class" and re.match(r"(func|var)\b", rest):
                kind, rest = rest.split(None, 1)
            is_public = kind != "extension" and (
                "public" in words or "open" in words
                or (scope.is_public and (scope.kind == "protocol" or (scope.kind == "enum" and kind == "case"))))
            documented = is_documented(lines, number) or (kind == "case" and in_group)
            in_group = kind == "case" and documented
            name = re.match(r"`?(\w+|[^\s\w(`]+)", rest)
            pending = Scope(kind, is_public) if kind in TYPES else None
            if not (kind == "init" and WITNESS_INITIALIZER.match(rest)) and "override" not in words:
                yield number, kind, name[1] if name and kind != "init" else kind, is_public, scope, documented
        elif depth == 0:
            in_group = False
        if pending:
            pending.header += line.partition("{")[0] + " "
        for character in line:
            depth += (character in "([") - (character in ")]")
            if character == "{":
                scopes.append((pending if depth == 0 else None) or Scope())
                pending = None
            elif character == "}" and scopes:
                scopes.pop()


def main():
    files = {path: list(declarations(path.read_text())) for path in sorted(pathlib.Path(ROOT).rglob("*.swift"))}
    documented, refined = {}, {}  # what each public protocol documents, and which it refines
    for found in files.values():
        for _, _, name, _, scope, has_text in found:
            if scope.kind == "protocol" and scope.is_public:
                refined[scope.name()] = scope.inherited()
                if has_text:
                    documented.setdefault(scope.name(), set()).add(name)

    def is_witness(name, protocols):
        return any(name in documented.get(protocol, ()) or is_witness(name, refined.get(protocol, ()))
                   for protocol in protocols)

    count = 0
    for path, found in files.items():
        lines = path.read_text().split("\n")
        for number, kind, name, is_public, scope, has_text in found:
            if is_public and not has_text and name not in WITNESSES and not (
                    scope.kind != "protocol" and is_witness(name, scope.inherited())):
                print(f"{path}:{number + 1}: not documented: {lines[number].strip()}")
                count += 1
    if not files:
        sys.exit("public docs: no Swift file found")
    print(f"public docs: {count} problem(s)")
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
