#!/usr/bin/env bash
# Installs the real programs that the interoperability tests talk to, from the machine's own Debian
# sources. Asks for nothing: without the right to install, the tests that need a program say that
# they are skipped (or fail, with TRUSTRIG_REQUIRE_TOOLS=1).
set -euo pipefail

# Program to find -> Debian package that brings it.
declare -A wanted=(
    [adcli]=adcli
    [cc]=gcc
    [c++]=g++
    [certtool]=gnutls-bin
    [curl]=curl
    [dig]=bind9-dnsutils
    [faketime]=faketime
    [host]=bind9-host
    [ip]=iproute2
    [javac]=default-jdk-headless
    [kinit]=krb5-user
    [ldapsearch]=ldap-utils
    [openssl]=openssl
    [python3]=python3
    [readelf]=binutils
    [setpriv]=util-linux
    [sqlite3]=sqlite3
    [tdbrestore]=tdb-tools
    [unshare]=util-linux
    [valgrind]=valgrind
)

missing=()
for program in "${!wanted[@]}"; do
    command -v "$program" >/dev/null || missing+=("${wanted[$program]}")
done
# The differential test of trust-verdict asks libgnutls itself, and needs its header.
[ -e /usr/include/gnutls/gnutls.h ] || missing+=(libgnutls28-dev)
# ldapsearch finds its way to Kerberos through a plugin.
compgen -G "/usr/lib/*/sasl2/libgssapiv2.so" >/dev/null || missing+=(libsasl2-modules-gssapi-mit)
# A test accepts tickets as a Samba server does, with Samba's bindings for Debian's Python.
/usr/bin/python3 -c "import samba.gensec" 2>/dev/null || missing+=(python3-samba)
# Debian splits what `python3 -m venv` needs off python3.
python3 -c "import ensurepip" 2>/dev/null || missing+=(python3-venv)
# The client whose conclusions the rig copies, and the DC of the same version that is put behind a
# front. Debian 13 has this version, Debian 12 its backports.
samba=()
[[ "$(net --version 2>/dev/null)" == "Version 4.22"* ]] || samba+=(samba-common-bin)
[[ "$(samba --version 2>/dev/null)" == "Version 4.22"* ]] ||
    samba+=(samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba)
[[ "$(winbindd --version 2>/dev/null)" == "Version 4.22"* ]] || samba+=(winbind)
if [ "${#missing[@]}" -eq 0 ] && [ "${#samba[@]}" -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        echo "setup: not installed, for want of root: ${missing[*]} ${samba[*]}" >&2
        exit 0
    fi
    as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null; then
    echo "setup: no apt-get here; install by hand: ${missing[*]} ${samba[*]}" >&2
    exit 0
fi
install() {
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq install -y \
        --no-install-recommends "$@" >/dev/null
}
echo "setup: installing ${missing[*]} ${samba[*]}" >&2
"${as_root[@]}" apt-get -qq update
[ "${#missing[@]}" -eq 0 ] || install "${missing[@]}"
[ "${#samba[@]}" -gt 0 ] || exit 0

release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
if [ "$release" != bookworm ]; then
    install "${samba[@]}"
    exit 0
fi
# From the machine's own mirror, with lists of their own: its sources stay as they are.
mirror=$(find /etc/apt -maxdepth 2 '(' -name '*.list' -o -name '*.sources' ')' |
    xargs awk '/^(deb|URIs:)/ && !/security/ && match($0, /https?:[^ ]+/) {
        print substr($0, RSTART, RLENGTH); exit }')
lists=$(mktemp -d)
mkdir -p "$lists/lists/partial"
trap 'rm -rf "$lists"' EXIT
for suite in bookworm bookworm-backports; do
    echo "deb $mirror $suite main"
done >"$lists/sources.list"
chmod 755 "$lists"
apart=(-o "Dir::Etc::SourceList=$lists/sources.list" -o Dir::Etc::SourceParts=-
    -o "Dir::State::Lists=$lists/lists")
"${as_root[@]}" apt-get -qq "${apart[@]}" update
install "${apart[@]}" -t bookworm-backports "${samba[@]}"
