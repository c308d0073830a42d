"""The programs themselves: start, memory, size; and a simulated host's probe beside one `net` process per DC."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

from .figures import shown, times
from .peers import Missing, found, run

TIMES = 15
DOMAINS = 5
MANY = 200
SCENARIO = "scenarios/wildcard-certificate/scenario.toml"


def measure(programs, root, work, figures):
    """Everything about the programs."""
    figures.forget("programs/")
    trustrig, fake_dc = programs / "trustrig", programs / "fake-dc"
    print("measuring trustrig", file=sys.stderr)
    figures.add("programs/help", elapsed([trustrig, "--help"], root), "ms")
    small = [trustrig, "run", SCENARIO, "--check"]
    figures.add("programs/run-small", elapsed(small, root), "ms")
    sizes(programs, root, figures)
    print("measuring fake-dc serve", file=sys.stderr)
    one, many, ready_one, ready_many = [], [], [], []
    for _ in range(times(DOMAINS)):
        for count, resident, ready in ((1, one, ready_one), (MANY, many, ready_many)):
            kib, took = idle(fake_dc, count, work)
            resident.append(kib)
            ready.append(took)
    figures.add("programs/idle", [kib / 1024 for kib in one], "MiB")
    figures.add("programs/ready", ready_one, "ms")
    further = [(large - small) / (MANY - 1) for small, large in zip(one, many)]
    figures.add("programs/further", further, "KiB")
    figures.add("programs/idle-200", [kib / 1024 for kib in many], "MiB")
    figures.add("programs/ready-200", ready_many, "ms")
    print("measuring net ads search", file=sys.stderr)
    try:
        probes(programs, work, figures)
    except (Missing, OSError, ValueError) as why:
        print(f"missing: net ads search: {why}", file=sys.stderr)
        figures.texts["programs/net/missing"] = str(why)


def elapsed(command, root):
    """Milliseconds of some runs, the first not counted."""
    took = []
    for _ in range(times(TIMES) + 1):
        began = time.perf_counter()
        run(*command, cwd=root)
        took.append((time.perf_counter() - began) * 1e3)
    return took[1:]


def sizes(programs, root, figures):
    """Bytes of the programs; the static one is that of ci/static.sh, if it has been built."""
    for name in ("fake-dc", "trustrig"):
        size = (programs / name).stat().st_size
        figures.add(f"programs/size/{name}", [size / 1e6], "MB")
    static = root / "target/static/fake-dc"
    if static.exists():
        figures.add("programs/size/static", [static.stat().st_size / 1e6], "MB")
    else:
        figures.texts["programs/size/missing"] = "target/static/fake-dc (ci/static.sh builds it)"


def serve(fake_dc, options):
    command = [fake_dc, "serve", *options]
    words = [str(word) for word in command]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def idle(fake_dc, count, work):
    """KiB of an idle process with so many DCs, and the milliseconds until it was ready."""
    began = time.perf_counter()
    options = ["--domain", "corp.example", "--dcs", count, "--ports", "system", "--ca-dir", work / "ca"]
    serving = serve(fake_dc, options)
    try:
        while '"ready":true' not in (line := serving.stdout.readline()):
            if not line:
                raise Missing("fake-dc serve has ended")
        took = (time.perf_counter() - began) * 1e3
        status = pathlib.Path(f"/proc/{serving.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1]), took
    finally:
        serving.terminate()
        serving.communicate()


def probes(programs, work, figures):
    """A DC at the standard ports, which is also the name server here."""
    if not os.environ.get("COMPARE_INSIDE"):
        raise Missing("Samba knows the standard ports alone, and there are no namespaces here")
    if not found("net"):
        raise Missing("no `net` (ci/setup.sh installs it)")
    resolv, folder = work / "resolv.conf", work / "net"
    resolv.write_text("nameserver 127.0.0.10\n")
    folder.mkdir()
    run("mount", "--bind", resolv, "/etc/resolv.conf")
    options = ["--domain", "lab.example", "--ports", "standard", "--ca-dir", work / "lab-ca"]
    serving = serve(programs / "fake-dc", options)
    try:
        dc = json.loads(serving.stdout.readline())
        done = run(programs / "host", dc["address"], dc["ca_file"], folder, "--rounds", times(7))
    finally:
        serving.terminate()
        serving.communicate()
        run("umount", "/etc/resolv.conf")
    rates = json.loads(done)
    figures.texts["programs/net/version"] = run("net", "--version").strip()
    figures.add("programs/net/simulated", rates["simulated"], "/s")
    figures.add("programs/net/real", rates["net"], "/s")
    ratios = [model / real for model, real in zip(rates["simulated"], rates["net"])]
    figures.add("programs/net/ratio", ratios, "")


ROWS = [
    ("help", "`trustrig --help`"),
    ("run-small", f"`trustrig run {SCENARIO} --check`"),
    ("ready", "`fake-dc serve`, one DC: start to the ready line"),
    ("idle", "resident then"),
    ("ready-200", f"`fake-dc serve --dcs {MANY}`, each with a chain of its own: start to the ready line"),
    ("idle-200", "resident then"),
    ("further", "resident for each further DC"),
    ("size/fake-dc", "`fake-dc`, size"),
    ("size/static", "`fake-dc`, static (`ci/static.sh`), size"),
    ("size/trustrig", "`trustrig`, size"),
    ("net/simulated", "probes of a simulated host (`net ads search` of the model, in one process), one after the other"),
    ("net/real", "processes of the real `net ads search`, one after the other"),
    ("net/ratio", "the first over the second, in pairs"),
]


def table(figures):
    lines = ["| What | Median (quartiles) |", "| --- | ---: |"]
    for name, what in ROWS:
        figure = figures.get(f"programs/{name}")
        missing = figures.texts.get(f"programs/{name.split('/')[0]}/missing")
        text = shown(figure) if figure else f"missing: {missing}" if missing else "–"
        if figure and figure["unit"] == "/s":
            text += "/s"
        lines.append(f"| {what} | {text} |")
    return "\n".join(lines)
