#!/usr/bin/env bash
# Fails on anything in Sources and Tools that can trap on data: a trap kills the whole process and
# cannot be caught. An exception is proved safe in place and marked `// trap-ok: reason`.
. "$(dirname "$0")/lib/common.sh"
python3 scripts/lib/deny_unwrap.py "$@"
