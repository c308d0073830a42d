"""The servers: where their programs come from, their configuration, and the file with which `pair` starts each.

A peer that cannot be had says why (`Missing`), and the table says it, too.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

PASSWORD = "Passw0rd!Lab1"
PEER = "dc1.corp.example"
# Accounts beside the one that is asked for, so that the directories are not empty.
ACCOUNTS = 250
# The sdist of this test library has UnboundID's in-memory server in it, with all that it needs.
IN_MEMORY = "python-ldap-test==0.3.1"
# Debian's package, and those of its libraries that few machines have.
SLAPD = ["slapd", "libltdl7", "libodbc2", "libwrap0"]


class Missing(Exception):
    """Why a peer is not measured."""


def run(*command, **options):
    """Runs a program that must succeed; what it printed."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, **options
    )
    if done.returncode != 0:
        raise Missing(f"`{command[0]}` failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def found(*names):
    """The first of these programs that is here, system folders included."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return next((there for name in names if (there := shutil.which(name, path=path))), None)


def fetch(folder):
    """Gets what is not installed into `folder`, and installs nothing. Without a network, peers are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    slapd = folder / "slapd"
    if not found("slapd") and found("apt-get") and not slapd.exists():
        subprocess.run(["apt-get", "-qq", "download", *SLAPD], cwd=folder, capture_output=True)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package.name, "slapd"], cwd=folder, check=True)
    if found("java") and found("javac") and not list(folder.glob("*.jar")):
        pip = [sys.executable, "-m", "pip", "-q", "download", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "-d", str(folder), IN_MEMORY], capture_output=True)
        for archive in folder.glob("python-ldap-test-*.tar.gz"):
            with tarfile.open(archive) as files:
                jar = next(one for one in files if one.name.endswith(".jar"))
                (folder / "in-memory.jar").write_bytes(files.extractfile(jar).read())


class Peers:
    """Makes each server below `work`, with the chain of the fake DC, which all of them show."""

    def __init__(self, programs, fetched, work):
        self.programs, self.fetched, self.work = programs, fetched, work
        self.ca = work / "ca.pem"
        self.chain, self.key = work / "dc1-chain.pem", work / "dc1-key.pem"
        self._export_chain()

    def _export_chain(self):
        options = ["--ports", "system", "--export-chain", self.work, "--ca-dir", self.work / "ca"]
        serving = subprocess.Popen(
            [str(word) for word in self._serve(options)], stdout=subprocess.PIPE, text=True
        )
        try:
            first = json.loads(serving.stdout.readline())
            serving.stdout.readline()
            shutil.copy(first["ca_file"], self.ca)
        finally:
            serving.terminate()
            serving.wait()

    def _serve(self, options):
        return [self.programs / "fake-dc", "serve", "--domain", "corp.example", *options]

    def _target(self, name, label, command, address, version, **changed):
        target = {
            "name": label,
            "command": [str(word) for word in command],
            "address": address,
            "ca": str(self.ca),
            "peer": PEER,
            "user": "Administrator@corp.example",
            "password": PASSWORD,
            "base": "cn=users,dc=corp,dc=example",
            **changed,
        }
        path = self.work / f"{name}.json"
        path.write_text(json.dumps(target))
        return {"name": name, "label": label, "file": path, "version": version}

    def baseline(self):
        command = [self.programs / "baseline", "127.0.0.9:16361", self.chain, self.key]
        return self._target("baseline", "60-line server", command, "127.0.0.9:16361", "tokio-rustls")

    def fake_dc(self):
        options = ["--ports", "system", "--address", "127.0.0.10", "--ldaps-port", "16360"]
        command = self._serve([*options, "--ca-dir", self.work / "ca"])
        version = run(self.programs / "fake-dc", "--version").split()[-1]
        return self._target("fake-dc", "fake DC", command, "127.0.0.10:16360", version)

    def slapd(self):
        """OpenLDAP's server, over LMDB."""
        program, libraries, modules, schema = found("slapd"), None, "/usr/lib/ldap", "/etc/ldap/schema"
        if program is None:
            own = self.fetched / "slapd"
            program = own / "usr/sbin/slapd"
            if not program.exists():
                raise Missing("no `slapd`, and Debian's package cannot be fetched (apt-get install slapd)")
            libraries = next((own / "usr/lib").glob("*-linux-gnu"))
            modules, schema = own / "usr/lib/ldap", own / "etc/ldap/schema"
        folder = self.work / "slapd"
        (folder / "data").mkdir(parents=True)
        (folder / "slapd.conf").write_text(
            f"include {schema}/core.schema\n"
            "attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch\n"
            "  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )\n"
            "attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch\n"
            "  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )\n"
            "objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top STRUCTURAL\n"
            "  MAY ( cn $ sAMAccountName $ objectSid ) )\n"
            f"modulepath {modules}\nmoduleload back_mdb\n"
            f"pidfile {folder}/pid\nargsfile {folder}/args\n"
            f"TLSCACertificateFile {self.ca}\n"
            f"TLSCertificateFile {self.chain}\nTLSCertificateKeyFile {self.key}\n"
            "TLSVerifyClient never\n"
            f"database mdb\nsuffix dc=corp,dc=example\ndirectory {folder}/data\n"
            f"rootdn cn=Administrator,dc=corp,dc=example\nrootpw {PASSWORD}\n"
            "index objectClass,sAMAccountName eq\n"
        )
        ldif = self._ldif()
        environment = {**os.environ}
        if libraries:
            environment["LD_LIBRARY_PATH"] = str(libraries)
        conf = ["-f", folder / "slapd.conf"]
        # Which of its programs it is, slapd learns from its name.
        (folder / "slapadd").symlink_to(program)
        run(folder / "slapadd", "-q", *conf, "-l", ldif, env=environment)
        said = subprocess.run([str(program), "-VV"], capture_output=True, text=True, env=environment)
        version = next((word for word in said.stderr.split() if word[0].isdigit()), "?")
        command = [program, *conf, "-h", "ldaps://127.0.0.12:16362", "-d", "0"]
        if libraries:
            command = ["/usr/bin/env", f"LD_LIBRARY_PATH={libraries}", *command]
        user = "cn=Administrator,dc=corp,dc=example"
        return self._target("slapd", "OpenLDAP slapd", command, "127.0.0.12:16362", version, user=user)

    def samba(self):
        """Samba's AD DC, made as the test of a real DC behind a front makes it (harness/host/tests/behind)."""
        if not found("samba") or not pathlib.Path("/usr/share/samba/setup").exists():
            raise Missing("no `samba` that can be a DC (ci/setup.sh installs it)")
        if os.geteuid() != 0 or not os.environ.get("COMPARE_INSIDE"):
            raise Missing("Samba as a DC needs root, and the right to make namespaces")
        folder, address = self.work / "samba", "192.0.2.10"
        folder.mkdir()
        pathlib.Path("/run/samba").mkdir(exist_ok=True)
        for where in (folder, "/run/samba"):
            # Whose xattrs it uses, whatever file system the machine has.
            run("mount", "-t", "tmpfs", "samba", where)
        pathlib.Path("/run/samba/nmbd").mkdir()
        run("ip", "address", "add", f"{address}/24", "dev", "lo")
        provision = folder / "provision.py"
        provision.write_text(
            "import sys, samba.provision\nfrom samba.netcmd.main import samba_tool\n"
            "samba.provision.setsysvolacl = lambda *arguments, **named: None\n"
            "sys.exit(samba_tool(*sys.argv[1:]))\n"
        )
        run(
            "/usr/bin/python3", provision, "domain", "provision", "--realm=corp.example",
            "--domain=CORP", f"--adminpass={PASSWORD}", "--server-role=dc", "--host-name=dc1",
            f"--host-ip={address}", f"--targetdir={folder}", "--dns-backend=SAMBA_INTERNAL",
        )
        conf = folder / "etc/smb.conf"
        kept = [
            line for line in conf.read_text().splitlines()
            if line.split("=")[0].strip() not in ("dns forwarder", "log file")
        ]
        own = [
            "[global]", f"interfaces = {address}/24", "bind interfaces only = yes",
            f"pid directory = {folder}/run", f"ncalrpc dir = {folder}/ncalrpc",
        ]
        conf.write_text("\n".join(kept).replace("[global]", "\n".join(own), 1) + "\n")
        for name in ("run", "ncalrpc"):
            (folder / name).mkdir(exist_ok=True)
        tls = folder / "private/tls"
        tls.mkdir(exist_ok=True)
        for source, name in ((self.ca, "ca"), (self.chain, "cert"), (self.key, "key")):
            shutil.copy(source, tls / f"{name}.pem")
            (tls / f"{name}.pem").chmod(0o600)
        command = ["samba", "--interactive", "--model=single", "--no-process-group", "-s", conf]
        version = run("samba", "--version").split()[-1]
        return self._target("samba", "Samba AD DC", command, f"{address}:636", version)

    def in_memory(self):
        """UnboundID's in-memory server."""
        if not found("java") or not found("javac"):
            raise Missing("no JDK (apt-get install default-jdk-headless)")
        jar = self.fetched / "in-memory.jar"
        if not jar.exists():
            raise Missing(f"{IN_MEMORY}, which brings the server, cannot be fetched from PyPI")
        folder = self.work / "in-memory"
        folder.mkdir()
        source = pathlib.Path(__file__).with_name("InMemory.java")
        run("javac", "-cp", jar, "-d", folder, source)
        store = folder / "store.p12"
        run(
            "openssl", "pkcs12", "-export", "-in", self.chain, "-inkey", self.key, "-out", store,
            "-passout", f"pass:{PASSWORD}",
        )
        user = "cn=Administrator,dc=corp,dc=example"
        ldif = self._ldif()
        command = [
            "java", "-cp", f"{jar}:{folder}", "InMemory", "127.0.0.13", "16363", store, PASSWORD, user,
            PASSWORD, ldif,
        ]
        said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
        java = said.split('"')[1] if '"' in said else "?"
        label = "UnboundID in-memory (JVM)"
        version = f"{IN_MEMORY}, Java {java}"
        return self._target("in-memory", label, command, "127.0.0.13:16363", version, user=user)

    def _ldif(self):
        """A domain of some accounts."""
        entries = [
            "dn: dc=corp,dc=example\nobjectClass: organization\nobjectClass: dcObject\n"
            "dc: corp\no: corp\n",
            f"dn: cn=users,dc=corp,dc=example\nobjectClass: organizationalRole\ncn: users\n",
        ]
        names = ["krbtgt"] + [f"user{number}" for number in range(ACCOUNTS)]
        for name in names:
            entries.append(
                f"dn: cn={name},cn=users,dc=corp,dc=example\nobjectClass: user\ncn: {name}\n"
                f"sAMAccountName: {name}\nobjectSid: S-1-5-21-1-2-3-502-{name}\n"
            )
        path = self.work / "accounts.ldif"
        path.write_text("\n".join(entries))
        return path
