#!/usr/bin/env bash
# The gates of the first milestone, a durable single node, on real processes.
#
#   scripts/ci_phase1_gates.sh            all
#   scripts/ci_phase1_gates.sh NAME...    those
#
#   errors  what clients and scripts get for wrong input: SQLSTATEs, exit codes, a server that lives on
#   memory  data larger than twice the memory budget stays within it, and so do the server's sessions
#   kill    20 x kill -9 under writing clients: nothing acknowledged is lost, nothing refused appears
#   prepared  prepared transactions are invisible and locked through kill -9; those that two servers and
#           their coordinator leave in doubt end on both sides as its log says
#   tpcb    TPC-B with P95 and P99, its sums, and backpressure counted
. "$(dirname "$0")/lib/gates.sh"
prepare_gates "$@"

gate errors python3 scripts/lib/gate_errors.py --bin "$FALCON_BIN"
gate memory python3 scripts/lib/soak_memory.py --bin "$FALCON_BIN" --minutes 0.5
gate kill python3 scripts/lib/soak_kill.py --bin "$FALCON_BIN" --cycles "${FALCON_KILL_CYCLES:-20}"
gate prepared python3 scripts/lib/gate_prepared.py --bin "$FALCON_BIN" --limit "${FALCON_IN_DOUBT_LIMIT:-60}"
gate tpcb python3 scripts/lib/gate_tpcb.py --bin "$FALCON_BIN"
finish_gates
