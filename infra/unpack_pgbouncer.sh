#!/bin/sh
# Unpack the system's package of PgBouncer, and the libraries that a bare system lacks, into a folder: no root needed.
# Usage: unpack_pgbouncer.sh FOLDER; then run FOLDER/pgbouncer.
set -eu
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Further arguments are apt's options.
fetch() {
    libraries=$(apt-cache "$@" depends pgbouncer | sed -n 's/^ *Depends: \(libevent.*\|libc-\{0,1\}ares.*\)$/\1/p')
    # shellcheck disable=SC2086 # one word a library
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root "$@" download pgbouncer $libraries)
}

mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
own="-o Dir::State::lists=$work/state/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User=root"
# shellcheck disable=SC2086 # one word an option
fetch 2>/dev/null || { apt-get -qq $own update && fetch $own; }
for package in "$work"/*.deb; do
    dpkg -x "$package" "$folder"
done
cat > "$folder/pgbouncer" <<'RUN'
#!/bin/sh
folder=$(dirname -- "$(readlink -f -- "$0")")
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu*) exec "$folder/usr/sbin/pgbouncer" "$@"
RUN
chmod +x "$folder/pgbouncer"
