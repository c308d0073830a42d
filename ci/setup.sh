#!/usr/bin/env bash
# Installs the real programs that the interoperability tests talk to, from the machine's own Debian
# sources. Asks for nothing: without the right to install, the tests that need a program say that
# they are skipped (or fail, with TRUSTRIG_REQUIRE_TOOLS=1).
set -euo pipefail

# Program to find -> Debian package that brings it.
declare -A wanted=(
    [cc]=gcc
    [certtool]=gnutls-bin
    [curl]=curl
    [dig]=bind9-dnsutils
    [kinit]=krb5-user
    [ldapsearch]=ldap-utils
    [openssl]=openssl
    [python3]=python3
)

missing=()
for program in "${!wanted[@]}"; do
    command -v "$program" >/dev/null || missing+=("${wanted[$program]}")
done
# The differential test of trust-verdict asks libgnutls itself, and needs its header.
[ -e /usr/include/gnutls/gnutls.h ] || missing+=(libgnutls28-dev)
# Debian splits what `python3 -m venv` needs off python3.
python3 -c "import ensurepip" 2>/dev/null || missing+=(python3-venv)
if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        echo "setup: not installed, for want of root: ${missing[*]}" >&2
        exit 0
    fi
    as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null; then
    echo "setup: no apt-get here; install by hand: ${missing[*]}" >&2
    exit 0
fi
echo "setup: installing ${missing[*]}" >&2
"${as_root[@]}" apt-get -qq update
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
