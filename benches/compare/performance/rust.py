"""What the workspace's own benches print, taken over: criterion's estimates, the goals bench, `trustrig bench
probe`, and the instruction budgets."""

import json
import os
import re
import subprocess
import sys
import time

from .figures import number, shown, times
from .peers import Missing, run

# Criterion's samples for a page that is made in minutes; `cargo bench` by hand takes its usual time.
SHORT = ["--warm-up-time", "0.3", "--measurement-time", "1", "--sample-size", "20", "--noplot"]
UNITS = {"kib": "KiB", "microseconds": "µs", "milliseconds": "ms", "per-second": "/s", "ratio": ""}
# Those of the bench `goals`.
PARTS = ["probe", "dc", "hosts", "day", "suite"]
# 1,000 DCs of which 900 swallow everything.
LARGE = ["--dcs", "1000", "--shares", "black-hole=90"]


def criterion(root, target, figures):
    """Runs every criterion bench and takes the estimates."""
    figures.forget("criterion/")
    figures.forget("costs/")
    began = time.time()
    for name in criterion_benches(root):
        print(f"measuring cargo bench {name}", file=sys.stderr)
        try:
            bench(root, name, *SHORT)
        except Missing as why:
            note_missing(figures, name, why)
    for path in sorted((target / "criterion").rglob("new/estimates.json")):
        if path.stat().st_mtime < began:
            continue
        name = json.loads(path.with_name("benchmark.json").read_text())["full_id"]
        median = json.loads(path.read_text())["median"]
        interval = median["confidence_interval"]
        low, middle, high = (
            value / 1e3 for value in (interval["lower_bound"], median["point_estimate"], interval["upper_bound"])
        )
        figures.take(f"criterion/{name}", "µs", low, middle, high, 20)


def bench(root, name, *options):
    words = ["cargo", "bench", "--quiet", "-p", "benches", "--all-features", "--bench", name, "--"]
    return run(*words, *options, cwd=root)


def note_missing(figures, name, why):
    """The others are measured all the same."""
    print(f"missing: bench {name}: {why}", file=sys.stderr)
    figures.texts[f"costs/bench/{name}"] = " ".join(str(why).split())


def criterion_benches(root):
    manifest = (root / "benches/Cargo.toml").read_text()
    names = re.findall(r'\[\[bench\]\]\s*name = "([^"]+)"', manifest)
    return [name for name in names if name != "goals"]


def goals(root, figures):
    """The goals that are ratios of processor time, memory of processes, or sums; part by part."""
    figures.forget("bench/")
    for part in PARTS:
        print(f"measuring cargo bench goals, {part}", file=sys.stderr)
        try:
            said = bench(root, "goals", "--json", part)
        except Missing as why:
            note_missing(figures, f"goals -- {part}", why)
            continue
        for one in json.loads(said)["figures"]:
            unit = UNITS.get(one["unit"], one["unit"])
            median, samples = one["median"], one["samples"]
            figures.take(f"bench/{one['id']}", unit, one["low"], median, one["high"], samples)


def fleet(trustrig, figures):
    """Strategies over domains: virtual time is exact, the wall clock is our own code's."""
    figures.forget("fleet/")
    print("measuring trustrig bench probe", file=sys.stderr)
    walls = []
    for _ in range(times(5)):
        began = time.perf_counter()
        run(trustrig, "bench", "probe", *LARGE, "--strategy", "staggered", "--json")
        walls.append((time.perf_counter() - began) * 1e3)
    figures.add("fleet/large/staggered", walls, "ms")
    both = [trustrig, "bench", "probe", *LARGE, "--strategy", "staggered,sequential", "--markdown"]
    figures.texts["fleet/large"] = run(*both)
    figures.texts["fleet/standard"] = run(trustrig, "bench", "probe", "--standard", "--markdown")


def budgets(root, figures):
    """Instructions of the hot paths."""
    figures.forget("budgets/")
    print("counting instructions", file=sys.stderr)
    done = subprocess.run([str(root / "ci/budgets.sh")], capture_output=True, text=True, cwd=root)
    said = done.stdout.strip() or done.stderr.strip()
    if not said:
        raise Missing("ci/budgets.sh says nothing")
    figures.texts["budgets/table"] = said
    figures.add("budgets/crossed", [said.count("CROSSED")], "")


def costs_table(figures):
    """Criterion's figures, and those of the goals bench."""
    lines = ["| Bench | Median | 95 % interval |", "| --- | ---: | ---: |"]
    for name, figure in figures.by_name.items():
        if name.startswith("criterion/"):
            shown_name = name.removeprefix("criterion/")
            low, high = number(figure["low"]), number(figure["high"])
            lines.append(f"| `{shown_name}` | {shown(figure, spread=False)} | {low}–{high} µs |")
    lines += ["", "| `goals` | Median (quartiles) |", "| --- | ---: |"]
    for name, figure in figures.by_name.items():
        if name.startswith("bench/"):
            per_second = "/s" if figure["unit"] == "/s" else ""
            lines.append(f"| `{name.removeprefix('bench/')}` | {shown(figure)}{per_second} |")
    for name, why in figures.texts.items():
        if name.startswith("costs/bench/"):
            lines += ["", f"Missing: the bench `{name.removeprefix('costs/bench/')}`: {why}"]
    return "\n".join(lines)


def fleet_table(figures):
    large, standard = (figures.texts.get(f"fleet/{name}", "") for name in ("large", "standard"))
    wall = shown(figures.get("fleet/large/staggered"))
    return (
        f"`trustrig bench probe {' '.join(LARGE)} --strategy staggered`: {wall} of wall clock, process and all.\n\n"
        f"{deeper(large)}\n\nThe standard domains (`trustrig bench probe --standard`):\n\n{deeper(standard)}"
    )


def deeper(text):
    """Headings of another document, below those of the page."""
    return re.sub(r"^(#+ )", r"##\1", text.strip(), flags=re.MULTILINE)


def budgets_table(figures):
    return f"```text\n{figures.texts.get('budgets/table', 'not counted yet')}\n```"
