#!/usr/bin/env bash
# Builds `fake-dc` as one static binary, copies it to the path given (default target/static/fake-dc),
# and checks it: no shared libraries, less than 15 MB, and a first search answered from an empty
# root. With Debian's gcc and libc6-dev alone; musl's std would have to be downloaded.
# (glibc reads its name service from shared libraries even then. Nothing that serves asks for names;
# `fake-dc clone --from` does, and wants an address where those libraries are not.)
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${1:-target/static/fake-dc}
target=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-$PWD/target}
# With --target, flags do not reach build scripts and macros, which cannot be static.
flags=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$target")_RUSTFLAGS
env "$flags=-C target-feature=+crt-static" cargo build --quiet --release -p fake-dc --bin fake-dc \
    --target "$target" --config 'profile.release.strip="symbols"'
mkdir -p "$(dirname "$binary")"
cp "$target_dir/$target/release/fake-dc" "$binary"

if readelf --program-headers "$binary" | grep -q INTERP; then
    echo "static: $binary wants a loader, and with it shared libraries" >&2
    exit 1
fi
size=$(stat -c %s "$binary")
if [ "$size" -ge 15000000 ]; then
    echo "static: $binary has $size bytes, and 15,000,000 are the limit" >&2
    exit 1
fi

root=$(mktemp -d)
serving=
trap '[ -z "$serving" ] || kill "$serving"; rm -rf "$root"' EXIT
cp "$binary" "$root/fake-dc"
mkfifo "$root/lines"
enter=(chroot)
[ "$(id -u)" -eq 0 ] || enter=(unshare --map-root-user chroot)
"${enter[@]}" "$root" /fake-dc serve --domain corp.example --ports system --ca-dir /ca >"$root/lines" &
serving=$!
exec 3<"$root/lines"
read -r dc <&3
read -r _ready <&3
url=$(grep -o 'ldaps://[0-9.:]*' <<<"$dc")
found=$(LDAPTLS_CACERT=$root/ca/corp.example-ca.pem ldapsearch -LLL -x -H "$url" -b dc=corp,dc=example \
    -D Administrator@corp.example -w 'Passw0rd!Lab1' '(sAMAccountName=krbtgt)' objectSid)
if ! grep -q '^objectSid:: ' <<<"$found"; then
    echo "static: the search from an empty root found: $found" >&2
    exit 1
fi
echo "static: $binary has $size bytes, wants no libraries, and has answered from an empty root"
