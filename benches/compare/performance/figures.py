"""Figures: a median with its quartiles. Every measurement of the page is one, by the name that goals ask for."""

import json
import os
import statistics


def times(usual):
    """How often to measure: once with `--quick`, which shows that everything works."""
    return 1 if os.environ.get("COMPARE_QUICK") else usual


def figure(samples, unit):
    """The figure of these samples."""
    ordered = sorted(samples)
    last = len(ordered) - 1
    low, median, high = (ordered[round(last * share)] for share in (0.25, 0.5, 0.75))
    if len(ordered) % 2 == 0:
        median = statistics.median(ordered)
    return {"unit": unit, "low": low, "median": median, "high": high, "samples": len(ordered)}


class Figures:
    """All figures, kept in a file from one run to the next: a section can be made anew alone."""

    def __init__(self, path):
        self.path = path
        kept = json.loads(path.read_text()) if path.exists() else {}
        self.by_name = kept.get("figures", {})
        self.texts = kept.get("texts", {})

    def add(self, name, samples, unit):
        self.by_name[name] = figure(samples, unit)

    def take(self, name, unit, low, median, high, samples):
        """A figure that somebody else has made."""
        self.by_name[name] = {
            "unit": unit, "low": low, "median": median, "high": high, "samples": samples,
        }

    def forget(self, start):
        """Drops what an earlier run has left of a section."""
        for kept in (self.by_name, self.texts):
            for name in [name for name in kept if name.startswith(start)]:
                del kept[name]

    def get(self, name):
        return self.by_name.get(name)

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"figures": self.by_name, "texts": self.texts}
        self.path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def number(value):
    """A number with as many digits as mean something."""
    if value == 0:
        return "0"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def shown(figure, spread=True):
    """The median, and the quartiles."""
    if figure is None:
        return "–"
    unit = "" if figure["unit"] in ("", "/s") else " " + figure["unit"]
    text = number(figure["median"]) + unit
    if spread and figure["samples"] > 1:
        text += f" ({number(figure['low'])}–{number(figure['high'])})"
    return text
