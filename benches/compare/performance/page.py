"""The page: sections between markers, of which each can be made anew alone."""

import datetime
import os
import pathlib
import platform
import re
import resource
import subprocess
import time

from .figures import number, shown

HEAD = """\
# Performance

Made by `benches/compare/run`, which measures, draws every table, and says what is missing; `--only SECTION` makes one section
anew. Nothing here is written by hand but the sentences in `benches/compare/page.toml`. Ratios are medians of interleaved
pairs (A B, B A, …) with their quartiles in brackets: compare figures of one run alone.
"""
TITLES = {
    "machine": "Where and when",
    "goals": "Goals",
    "compare": "Beside other LDAP servers",
    "programs": "Programs",
    "fleet": "Probe iteration",
    "costs": "What everything costs",
    "budgets": "Instructions of the hot paths",
}
NOTES = {
    "goals": "",
    "compare": (
        "One client (`pair` in `benches/compare/`), one after the other, against each: a probe is connect, handshake in xapi's "
        "policy (TLS 1.2, ECDHE-RSA-AES256-GCM-SHA384, secp384r1, the chain checked), simple bind, one search for "
        "`(sAMAccountName=krbtgt)` below `cn=users`, unbind, close. All show the same chain (RSA-2048). **×** is the ratio to "
        "the 60-line server (`baseline.rs`) in pairs. The fake DC has its full directory, and its ledger on. Samba's memory "
        "is that of all its processes, what they share counted once."
    ),
    "programs": "Wall clock from outside, process start included; memory is resident.",
    "fleet": "Virtual time is exact and the same on every machine.",
    "costs": (
        "`cargo bench -p benches` with short samples (criterion's median), and the bench `goals`; "
        "`benches/README.md` says what each measures."
    ),
    "budgets": "`ci/budgets.sh`: valgrind's callgrind, the same on every x86-64 machine; crossing a budget fails CI.",
}


class Meanwhile:
    """What went on while we measured: how long it took, and how much of the machine others used."""

    def __init__(self):
        self.began, self.busy, self.own = time.monotonic(), self._busy(), self._own()

    def took(self):
        return time.monotonic() - self.began

    def others(self):
        """The share of the machine that was used by others, hypervisor included."""
        used = (self._busy() - self.busy) - (self._own() - self.own)
        return max(0.0, used / (self.took() * (os.cpu_count() or 1)))

    @staticmethod
    def _busy():
        user, nice, system, _idle, _waiting, irq, soft, stolen = (
            int(ticks) for ticks in pathlib.Path("/proc/stat").read_text().split()[1:9]
        )
        return (user + nice + system + irq + soft + stolen) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own():
        both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(usage.ru_utime + usage.ru_stime for usage in both)


def machine(figures, meanwhile):
    """What a figure is worth nothing without."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "?")
    version = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=pathlib.Path(__file__).parent
    ).stdout.strip()
    rows = {
        "Commit": commit or "?",
        "Date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "Processor": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores",
        "Memory": f"{int(memory[1]) / 1024**2:.1f} GiB",
        "System": f"{system}, Linux {platform.release()}",
        "Rust": version,
        "Measuring took": f"{meanwhile.took() / 60:.1f} minutes",
        "Used by others meanwhile": f"{meanwhile.others():.0%} of the machine",
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())])


def goals(page, figures):
    """Every goal, reached or the distance."""
    lines = ["| What | Goal | Measured | |", "| --- | --- | ---: | --- |"]
    reached = 0
    for goal in page["goal"]:
        figure = measured(goal, figures)
        if figure is None:
            verdict = "not measured"
        else:
            value = figure["median"]
            bound, over = ("at_most", value > goal.get("at_most", value))
            if "at_least" in goal:
                bound, over = "at_least", value < goal["at_least"]
            if over:
                away = value / goal[bound]
                why = goal["holds_back"] or "no reason is known yet"
                verdict = f"**not reached**: {number(away)} times the bound. {why}"
            else:
                reached += 1
                verdict = "reached"
        lines.append(f"| {goal['what']} | {goal['goal']} | {shown(figure)} | {verdict} |")
    lines.append(f"\n{reached} of {len(page['goal'])} reached.")
    return "\n".join(lines)


def measured(goal, figures):
    names = goal["figure"]
    if isinstance(names, str):
        return figures.get(names)
    first, second = (figures.get(name) for name in names)
    if first is None or second is None:
        return None
    ratio = first["median"] / second["median"]
    return {"unit": "", "low": ratio, "median": ratio, "high": ratio, "samples": 1}


def begin(name):
    return f"<!-- begin {name} -->"


def end(name):
    return f"<!-- end {name} -->"


def write(path, sections, texts):
    """Puts these texts between their markers; the other sections stay as they are."""
    old = path.read_text() if path.exists() else ""
    parts = [HEAD]
    for name in sections:
        text = texts.get(name)
        if text is None:
            kept = re.search(re.escape(begin(name)) + r"\n(.*?)\n" + re.escape(end(name)), old, re.DOTALL)
            text = kept[1] if kept else "Not measured yet."
        elif NOTES.get(name):
            text = NOTES[name] + "\n\n" + text
        parts.append(f"## {TITLES[name]}\n\n{begin(name)}\n{text.strip()}\n{end(name)}\n")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(parts))
