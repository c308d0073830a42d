"""The comparison: every peer beside the 60-line server, and the fake DC beside some peers, in interleaved pairs."""

import json
import subprocess
import sys

from .figures import number, shown, times
from .peers import Missing

# What is measured, how it is asked for, and its unit.
WHATS = {
    "probes-1": (["probes"], "/s"),
    "probes-8": (["probes", "--clients", "8"], "/s"),
    "searches": (["searches"], "/s"),
    "start": (["start"], "ms"),
}
BASELINE = "baseline"
# Pairs that goals ask for beside those with the baseline.
DIRECT = [("fake-dc", "slapd", ("probes-1", "searches")), ("fake-dc", "samba", ("start",))]
# Rounds: the fake DC's ratios are goals; the others', and slow starts, need fewer.
ROUNDS = {"fake-dc": 15}
FEW, STARTS = 7, {"fake-dc": 15, "slapd": 7}
FEW_STARTS = 3


def measure(peers, pair, figures):
    """Runs all pairs."""
    figures.forget("compare/")
    made = {}
    for make in (peers.baseline, peers.fake_dc, peers.slapd, peers.samba, peers.in_memory):
        name = make.__name__.replace("_", "-")
        try:
            made[name] = make()
            figures.texts[f"compare/version/{name}"] = made[name]["version"]
        except (Missing, OSError, subprocess.SubprocessError) as why:
            print(f"missing: {name}: {why}", file=sys.stderr)
            figures.texts[f"compare/missing/{name}"] = str(why)
    baseline = made.pop(BASELINE)
    for name in made:
        run_pairs(made[name], baseline, WHATS, pair, figures)
    for first, second, whats in DIRECT:
        if first in made and second in made:
            run_pairs(made[first], made[second], whats, pair, figures)


def run_pairs(first, second, whats, pair, figures):
    names = first["name"], second["name"]
    for what in whats:
        words, unit = WHATS[what]
        starts = STARTS.get(first["name"], FEW_STARTS) if second["name"] == BASELINE else FEW_STARTS
        rounds = starts if what == "start" else ROUNDS.get(first["name"], FEW)
        print(f"measuring {what}: {names[0]} and {names[1]}", file=sys.stderr)
        words = [*words, "--rounds", times(rounds), "--json"]
        command = [pair, *words, first["file"], second["file"]]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"failed: {done.stderr.strip()}", file=sys.stderr)
            figures.texts[f"compare/missing/{names[0]}"] = f"{what}: {done.stderr.strip()}"
            continue
        both = json.loads(done.stdout)["measured"]
        ratios = [one / other for one, other in zip(both[0]["figures"], both[1]["figures"])]
        figures.add(f"compare/{what}/{names[0]}-over-{names[1]}", ratios, "")
        if both[0]["cpu_us"] and both[1]["cpu_us"]:
            ratio = both[0]["cpu_us"] / both[1]["cpu_us"]
            figures.add(f"compare/{what}/{names[0]}-over-{names[1]}/cpu", [ratio], "")
        # Each server's own figures are those of its pair with the baseline; the baseline's, of its
        # pair with the fake DC.
        if second["name"] == BASELINE:
            mine = zip(names, both) if first["name"] == "fake-dc" else [(names[0], both[0])]
            for name, measured in mine:
                figures.add(f"compare/{what}/{name}", measured["figures"], unit)
                if measured["cpu_us"]:
                    figures.add(f"compare/{what}/{name}/cpu", [measured["cpu_us"]], "µs")
                if what == "start":
                    resident = [kib / 1024 for kib in measured["resident_kib"]]
                    figures.add(f"compare/resident/{name}", resident, "MiB")


LABELS = {
    "baseline": "60-line server",
    "fake-dc": "fake DC",
    "slapd": "OpenLDAP slapd",
    "samba": "Samba AD DC",
    "in-memory": "UnboundID in-memory, JVM",
}
COLUMNS = [
    ("probes-1", "LDAPS probes/s, 1 client"),
    ("probes-8", "8 clients"),
    ("searches", "Searches/s, one connection"),
    ("start", "Start to first search"),
    ("resident", "Resident then"),
]


def table(figures):
    """The table of the servers."""
    heads = ["Server", "Version", *(head for _, head in COLUMNS)]
    lines = ["| " + " | ".join(heads) + " |", "| --- | --- |" + " ---: |" * len(COLUMNS)]
    for name, label in LABELS.items():
        missing = figures.texts.get(f"compare/missing/{name}")
        version = figures.texts.get(f"compare/version/{name}", "")
        cells = []
        for what, _ in COLUMNS:
            own = figures.get(f"compare/{what}/{name}")
            text = shown(own)
            ratio = figures.get(f"compare/{what}/{name}-over-{BASELINE}")
            if own and ratio:
                text += f"<br>**× {number(ratio['median'])}** ({number(ratio['low'])}–{number(ratio['high'])})"
            cells.append(text)
        if missing:
            version = f"missing: {missing}" if not version else f"{version}; missing: {missing}"
        version = version.replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {label} | {version} | " + " | ".join(cells) + " |")
    lines += ["", "| CPU of the server | Each probe | Over the 60-line server's | Each search | Over the 60-line server's |"]
    lines.append("| --- | ---: | ---: | ---: | ---: |")
    for name, label in LABELS.items():
        if not figures.get(f"compare/probes-1/{name}/cpu"):
            continue
        cells = []
        for what in ("probes-1", "searches"):
            cells.append(shown(figures.get(f"compare/{what}/{name}/cpu")))
            ratio = figures.get(f"compare/{what}/{name}-over-{BASELINE}/cpu")
            cells.append("× " + number(ratio["median"]) if ratio else "–")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    lines += ["", "| Directly | Ratio of the pairs |", "| --- | ---: |"]
    for first, second, whats in DIRECT:
        for what in whats:
            ratio = shown(figures.get(f"compare/{what}/{first}-over-{second}"))
            lines.append(f"| {LABELS[first]} over {LABELS[second]}: {what} | {ratio} |")
    return "\n".join(lines)
