#!/usr/bin/env bash
# Builds and runs the package under Fixtures/embedding, which uses FalconStorage as a library and
# must resolve no third-party package.
. "$(dirname "$0")/common.sh"
unset FALCON_WARNINGS_AS_ERRORS
cd Fixtures/embedding
resolved=$(swift package --scratch-path "$root/.build-embedding" show-dependencies --format flatlist)
if [ "$(printf '%s\n' "$resolved" | wc -l)" -ne 1 ]; then
    printf 'embedding FalconStorage resolves more than FalconDB itself:\n%s\n' "$resolved" >&2
    exit 1
fi
swift build --scratch-path "$root/.build-embedding"
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
program=$(swift build --scratch-path "$root/.build-embedding" --show-bin-path)/embedding
if ! diff expected.txt <("$program" "$data/db"); then
    echo "the embedding program prints something else than expected.txt" >&2
    exit 1
fi
