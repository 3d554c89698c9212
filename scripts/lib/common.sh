# Shared by every script: where the checkout is, and how what it needs gets installed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

# Names the apt packages among "$@" that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
            printf '%s\n' "$package"
    done
}

# Installs what is missing of "$@"; says what to do when it may not.
ensure_packages() {
    local missing
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return 0
    local sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            printf 'Missing packages: %s\nInstall them as root: apt-get install %s\n' \
                "$(echo $missing)" "$(echo $missing)" >&2
            return 1
        }
        sudo=sudo
    fi
    echo "installing: $(echo $missing)" >&2
    $sudo apt-get update -qq >/dev/null
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

require_swift() {
    command -v swift >/dev/null || {
        echo "Swift 6.3 or newer is needed on PATH: see https://www.swift.org/install/linux" >&2
        return 1
    }
}

# Sets FALCON_BIN to where release binaries are: what it is set to already, else they are built, with "$@".
release_binaries() {
    [ -n "${FALCON_BIN:-}" ] && return 0
    require_swift
    # shellcheck disable=SC2086
    swift build $release_flags "$@" >&2
    # shellcheck disable=SC2086
    FALCON_BIN=$(swift build $release_flags --show-bin-path)
}

# bounded SECONDS NAME COMMAND...: fails when it has not ended by then, and leaves no server running.
bounded() { python3 "$root/scripts/lib/bounded.py" "$@"; }

engine_packages="liblz4-dev libzstd-dev libssl-dev libxxhash-dev pkg-config"
server_packages="$engine_packages libpg-query-dev libpq-dev"
client_packages="postgresql-client-15 python3"
# pgbench ships with the server package; PostgreSQL is also the oracle and the peer measured.
peer_packages="postgresql-15"

# How a release is built: the runtime linked in, so that its calls go through no table, and no
# run-time exclusivity checks, which the tests' own release build keeps (docs/performance/sql.md).
release_flags="-c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked"
