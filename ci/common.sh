# SPDX-License-Identifier: Apache-2.0
# What the scripts in ci/ share: the repository as the current folder, Debian's own Python, and steps with a name.
# shellcheck shell=bash
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
PYTHON=/usr/bin/python3 # with the Debian packages that ci/setup installs; another python3 may come first on PATH
JOBS=$(nproc)
export PYTHONDONTWRITEBYTECODE=1

failed_steps=()

# step NAME COMMAND...: runs it, says how long it took, remembers a failure and goes on.
step() {
    local name=$1 begin=$SECONDS
    shift
    printf '\n=== %s\n' "$name"
    if "$@"; then
        printf -- '--- %s: ok, %d s\n' "$name" $((SECONDS - begin))
    else
        printf -- '--- %s: FAILED, %d s\n' "$name" $((SECONDS - begin))
        failed_steps+=("$name")
    fi
}

# passed NAME: did that step pass?
passed() {
    local name
    for name in "${failed_steps[@]}"; do
        [ "$name" != "$1" ] || return 1
    done
}

# finish: the steps that failed, and 1 when there are any.
finish() {
    printf '\n%d s in all. ' "$SECONDS"
    if [ ${#failed_steps[@]} -eq 0 ]; then
        printf 'All steps passed.\n'
        return 0
    fi
    printf 'Failed: %s\n' "$(printf '%s; ' "${failed_steps[@]}")"
    return 1
}
