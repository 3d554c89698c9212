# Shared by the gate scripts: builds once, runs each gate, and says at the end which held.
# A gate is a command that fails when what it guards is broken; scripts/lib/test_gates.py breaks each. One that
# has not ended after 45 minutes has failed.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

gate_flags=(-c release --scratch-path .build-test -Xswiftc -enable-testing)
gates_passed=0
gates_failed=0
gate_report=""

# The gates asked for on the command line; none: all. FALCON_BIN, when set, is where the binaries are.
prepare_gates() {
    local name known script=scripts/${0##*/}
    known=$(sed -n 's/^gate \([a-z]*\) .*/\1/p' "$script" | xargs)
    for name in "$@"; do
        if [[ "$name" == -h || "$name" == --help ]]; then
            # What the script says of itself at its top.
            sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$script"
            exit 0
        fi
        [[ " $known " == *" $name "* ]] || {
            echo "there is no gate '$name'; there are: $known" >&2
            exit 2
        }
    done
    wanted_gates=("$@")
    # shellcheck disable=SC2086
    ensure_packages $server_packages $client_packages
    [ -n "${FALCON_BIN:-}" ] && return 0
    require_swift
    FALCON_WARNINGS_AS_ERRORS=1 swift build --build-tests "${gate_flags[@]}"
    FALCON_BIN=$(swift build "${gate_flags[@]}" --show-bin-path)
    export FALCON_BIN
}

# gate NAME COMMAND...
gate() {
    local name=$1 began=$SECONDS verdict
    shift
    if [ ${#wanted_gates[@]} -gt 0 ] && [[ ! " ${wanted_gates[*]} " == *" $name "* ]]; then
        return 0
    fi
    echo "=== gate $name"
    if bounded 2700 "gate $name" "$@"; then verdict=passed gates_passed=$((gates_passed + 1)); else
        verdict=FAILED gates_failed=$((gates_failed + 1))
    fi
    gate_report+=$(printf '%-12s %5d s  %s' "$name" $((SECONDS - began)) "$verdict")$'\n'
}

unit_tests=(swift test --skip-build "${gate_flags[@]}")

finish_gates() {
    printf '\n%s\n' "$gate_report"
    printf '%d gates passed, %d failed\n' "$gates_passed" "$gates_failed"
    [ "$gates_failed" -eq 0 ]
}
