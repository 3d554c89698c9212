"""Enforces module and folder order: imports and type mentions point downward only."""
import pathlib
import re
import sys

from deny_unwrap import blank

C_MODULES = {"CFalconPlatform", "CLZ4", "CZstd", "CXXHash", "CCrypto"}
SYSTEM = {"Glibc", "Musl", "Synchronization"}
# Module -> what it may import of ours and of others.
MAY_IMPORT = {
    "FalconStorage": C_MODULES | SYSTEM,
    "FalconSchema": {"FalconStorage", "BigInt"} | SYSTEM,
    "FalconChanges": {"FalconStorage", "FalconSchema"} | SYSTEM,
    "FalconSQL": {
        "FalconStorage", "FalconSchema", "FalconChanges", "CPgQuery", "CFalconPlatform",
    } | SYSTEM,
    "FalconServer": {
        "FalconStorage", "FalconSchema", "FalconSQL", "NIOCore", "NIOPosix", "NIOHTTP1",
        "NIOConcurrencyHelpers", "Logging", "TOMLKit", "ArgumentParser", "Foundation", "Dispatch",
    } | SYSTEM,
    "FalconToolKit": {
        "FalconStorage", "FalconSchema", "FalconChanges", "CCrypto", "ArgumentParser", "Foundation", "Dispatch",
    } | SYSTEM,
    "FalconControl": {"FalconToolKit", "CLibPQ"} | SYSTEM,
    "falcondb": {"FalconServer"} | SYSTEM,
}
# Folders of each layered module, lowest first: a folder may use those before it.
FOLDERS = {
    "FalconStorage": [
        "Core", "VFS", "Transform", "WAL", "Memtable", "Cache", "SST", "Blob", "Manifest", "LSM", "Spill", "MVCC",
        "Commit", "Recovery", "Archive", "Engine", "PITR", "CDC", "Verify", "Ingest", "Stores",
    ],
}
DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |internal |final |open |indirect |nonisolated )*"
    r"(?:class|struct|enum|protocol|actor|typealias) (\w+)", re.M)


def check_imports(problems):
    modules = [(p.name, p) for p in pathlib.Path("Sources").iterdir() if p.is_dir()]
    for name, folder in modules:
        for path in sorted(folder.rglob("*.swift")):
            for match in re.finditer(r"^(?:@\w+\s+)?(?:public |internal )?import (?:\w+ )?(\w+)",
                                     blank(path.read_text()), re.M):
                if name in MAY_IMPORT and match.group(1) not in MAY_IMPORT[name]:
                    problems.append(f"{path}: {name} must not import {match.group(1)}")
    for path in sorted(pathlib.Path("Tools").rglob("*.swift")):
        for match in re.finditer(r"^import (\w+)", blank(path.read_text()), re.M):
            wanted = {"FalconControl"} if "falconctl" in path.parts else {"FalconToolKit", "ArgumentParser"} | SYSTEM
            if match.group(1) not in wanted:
                problems.append(f"{path}: a tool's main imports {' or '.join(sorted(wanted - SYSTEM))} only")


def check_folders(problems):
    for module, order in FOLDERS.items():
        root = pathlib.Path("Sources") / module
        rank = {name: i for i, name in enumerate(order)}
        for folder in root.iterdir():
            if folder.is_dir() and folder.name not in rank:
                problems.append(f"{folder}: not in the folder order of {module}")
        owner = {}
        texts = {}
        for path in root.rglob("*.swift"):
            top = path.relative_to(root).parts[0]
            texts[path] = blank(path.read_text())
            for match in DECLARATION.finditer(texts[path]):
                owner.setdefault(match.group(1), top)
        for path, text in sorted(texts.items()):
            here = path.relative_to(root).parts[0]
            for word in set(re.findall(r"\b[A-Z]\w+\b", text)):
                there = owner.get(word)
                if there in rank and here in rank and rank[there] > rank[here]:
                    problems.append(f"{path}: {here}/ mentions {word} of the higher {there}/")
        if not owner:
            problems.append(f"{root}: no declarations found; the check looks in the wrong place")


def check_top_level(problems):
    allowed = {
        "Package.swift", "Sources", "Tests", "Tools", "Fixtures", "docs", "scripts", "README.md",
        "CHANGELOG.md", "LICENSE", "Package.resolved", "falcon_data",
    }
    for path in pathlib.Path(".").iterdir():
        if not path.name.startswith(".") and path.name not in allowed:
            problems.append(f"{path}: not part of the top level (design: layout)")


def main():
    problems = []
    check_imports(problems)
    check_folders(problems)
    check_top_level(problems)
    for problem in problems:
        print(problem)
    print(f"layers: {len(problems)} problem(s)")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
