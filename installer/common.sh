# Shared by quickstart and check: packages, steps that are quiet when they work and clear when they do not.
# Sourced, not run. Expects `root` (the source tree) and `log` (a file) to be set.

say() { printf '%s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# step TITLE COMMAND...: one line while it works; the end of the log when it does not.
step() {
    local title=$1 began=$SECONDS
    shift
    printf '%-46s' "$title ..."
    if "$@" >>"$log" 2>&1; then
        printf ' done in %d s\n' $((SECONDS - began))
        return 0
    fi
    printf ' FAILED\n\n'
    tail -n 40 "$log" >&2
    printf '\nThe whole log: %s\n' "$log" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo -- "$@"
    else
        fail "packages must be installed by root: run this as root, or install sudo"
    fi
}

is_installed() { [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" = "install ok installed" ]; }

# install_packages FILE...: those of the lists that are missing; nothing at all when all are there.
install_packages() {
    command -v apt-get >/dev/null 2>&1 || fail "this script knows Debian's apt only; the packages are listed in installer/packages-*.txt"
    local missing=() package
    while read -r package; do
        case "$package" in "" | "#"*) continue ;; esac
        is_installed "$package" || missing+=("$package")
    done < <(cat "$@")
    [ ${#missing[@]} -gt 0 ] || return 0

    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300)
    step "Reading the package lists" as_root "${apt[@]}" update
    # apt may remove packages to make room for others: never behind the user's back.
    local removed
    removed=$(LC_ALL=C apt-get -s --no-install-recommends install "${missing[@]}" 2>>"$log" | sed -n 's/^Remv \([^ ]*\).*/\1/p' | tr '\n' ' ')
    [ -z "$removed" ] || fail "installing would remove: $removed- settle that by hand, then run this again"
    step "Installing ${#missing[@]} packages" as_root "${apt[@]}" install "${missing[@]}"
}

# Two compilers at once need about 1.5 GB each for the largest sources.
build_jobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo 2>/dev/null || echo 1)
    [ "${memory:-1}" -ge 1 ] || memory=1
    if [ "$cores" -lt "$memory" ]; then echo "$cores"; else echo "$memory"; fi
}
