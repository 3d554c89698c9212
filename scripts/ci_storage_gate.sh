#!/usr/bin/env bash
# Six gates that storage must pass before it is released; each runs real processes or the real suites.
#
#   scripts/ci_storage_gate.sh            all
#   scripts/ci_storage_gate.sh NAME...    those
#
#   hardening  crash simulation, fault loop, metamorphic runs, bit flips, corruption classes, hangs
#   suite      every unit test
#   sst        sst-verify passes sound tables and names each damaged one
#   wal        a killed process's log: torn tails recover, damage to vouched bytes is refused
#   memory     data larger than twice the memory budget stays within it, and so do the server's sessions
#   lint       format, forbidden traps, module order
. "$(dirname "$0")/lib/gates.sh"
prepare_gates "$@"

gate hardening "${unit_tests[@]}" --filter \
    'CrashSimulation|FaultLoop|Metamorphic|BitFlip|CorruptionClass|Hang|LostLog|CrashTests|MissingSegment'
gate suite "${unit_tests[@]}"
gate sst python3 scripts/lib/gate_sst.py --bin "$FALCON_BIN"
gate wal python3 scripts/lib/gate_wal.py --bin "$FALCON_BIN"
gate memory python3 scripts/lib/soak_memory.py --bin "$FALCON_BIN" --minutes 0.5
gate lint scripts/check --no-build
finish_gates
