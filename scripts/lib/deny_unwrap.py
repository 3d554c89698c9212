"""Finds forced unwraps, forced tries and casts, and deliberate traps outside tests.

Reads Swift at the token level: comments and string literals are blanked (interpolations kept), so
that prose about `try!` is no finding. A line with `// trap-ok: reason`, on it or right
above it, is let pass.
"""
import pathlib
import re
import sys

PATTERNS = [
    (re.compile(r"\btry!"), "try!"),
    (re.compile(r"\bas!"), "as!"),
    (re.compile(r"\bfatalError\s*\("), "fatalError"),
    (re.compile(r"\bpreconditionFailure\s*\("), "preconditionFailure"),
    (re.compile(r"\bprecondition\s*\("), "precondition"),
    (re.compile(r"\bassertionFailure\s*\("), "assertionFailure"),
    (re.compile(r"\bunsafelyUnwrapped\b"), "unsafelyUnwrapped"),
    # A forced unwrap: a value, then `!`, then neither `=` nor another operator character.
    (re.compile(r"[\w\)\]\}>]!(?![=!])"), "forced unwrap"),
    # An implicitly unwrapped type.
    (re.compile(r":\s*[A-Z][\w.<>\[\]]*!\s*(?:=|$|\{|,|\))"), "implicitly unwrapped optional"),
]


def blank(text):
    """The text with comments and string contents replaced by spaces, newlines kept."""
    out, i, n = [], 0, len(text)
    while i < n:
        two = text[i : i + 2]
        if two == "//":
            while i < n and text[i] != "\n":
                out.append(" ")
                i += 1
        elif two == "/*":
            depth = 0
            while i < n:
                if text[i : i + 2] == "/*":
                    depth += 1
                    out.append("  ")
                    i += 2
                elif text[i : i + 2] == "*/":
                    depth -= 1
                    out.append("  ")
                    i += 2
                    if depth == 0:
                        break
                else:
                    out.append("\n" if text[i] == "\n" else " ")
                    i += 1
        elif text[i] == '"' or (text[i] == "#" and re.match(r'#+"', text[i:])):
            hashes = re.match(r"#*", text[i:]).group(0)
            start = i + len(hashes)
            quote = '"""' if text[start : start + 3] == '"""' else '"'
            end_mark, escape = quote + hashes, "\\" + hashes
            out.append(" " * (start - i + len(quote)))
            i = start + len(quote)
            while i < n and not text.startswith(end_mark, i):
                if text.startswith(escape + "(", i):
                    depth, j = 1, i + len(escape) + 1
                    while j < n and depth:
                        depth += {"(": 1, ")": -1}.get(text[j], 0)
                        j += 1
                    out.append(" " * (len(escape) + 1) + text[i + len(escape) + 1 : j - 1] + " ")
                    i = j
                elif text.startswith(escape, i):
                    step = len(escape) + 1
                    out.append("".join("\n" if c == "\n" else " " for c in text[i : i + step]))
                    i += step
                else:
                    out.append("\n" if text[i] == "\n" else " ")
                    i += 1
            out.append(" " * len(end_mark))
            i += len(end_mark)
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def findings(path):
    text = path.read_text(encoding="utf-8")
    original = text.split("\n")
    for number, line in enumerate(blank(text).split("\n"), 1):
        if any(re.search(r"// trap-ok: \S", l) for l in original[max(0, number - 2) : number]):
            continue
        for pattern, name in PATTERNS:
            if pattern.search(line):
                yield number, name, original[number - 1].strip()
                break


def self_test():
    """The check must be able to fail: each planted trap is found, each harmless line is not."""
    bad = ["let x = y!", "try! f()", "z as! Int", "fatalError()", "var a: Int!", "f(b!.c)", 'p("\\(q!)")']
    good = ["if a != b {}", "// try! nothing", 'let s = "a! b"', "!flag", "a ? !b : c", "x! // trap-ok: proved"]
    scratch = pathlib.Path(__file__).with_name(".deny_unwrap_self_test.swift")
    try:
        for line in bad + good:
            scratch.write_text(line + "\n")
            if bool(list(findings(scratch))) != (line in bad):
                sys.exit(f"deny_unwrap: the check itself is broken on: {line}")
    finally:
        scratch.unlink(missing_ok=True)


def main():
    self_test()
    roots = [pathlib.Path(p) for p in (sys.argv[1:] or ["Sources", "Tools"])]
    count = files = 0
    for root in roots:
        for path in sorted(root.rglob("*.swift")) if root.is_dir() else [root]:
            files += 1
            for number, name, line in findings(path):
                print(f"{path}:{number}: {name}: {line}")
                count += 1
    if files == 0:
        sys.exit("deny_unwrap: no Swift file found")
    print(f"deny_unwrap: {count} finding(s) in {files} files")
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
