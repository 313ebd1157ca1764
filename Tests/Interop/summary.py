#!/usr/bin/env python3
"""Makes Docs/Interop.md of what a whole run of Scripts/interop printed.

    summary.py LOG COMMIT > Docs/Interop.md

Ends with status 1, and writes nothing, where a part of the run is missing: half a run is no summary.
"""
import collections
import datetime
import re
import sys

#: The lines of each step that count, by the step's title; each must be there.
COUNTS = {
    "frameworks": [r"^.*\btorch==.*$"],
    "what the frameworks saved, converted": [r"^\d+ cases of torch$", r"^\d+ cases of keras$", r"Test run with .*passed"],
    "published networks, against their references": [
        r"^\d+ cases of \d+ networks, 0 failed$", r"^gradients of .*$"],
    "networks of ncnn's, against ncnn": [r"^\d+ networks of ncnn's, 0 failed$"],
    "a training of PyTorch's, repeated": [r"^.*losses differ.*$"],
    "what Aviary wrote, loaded by the frameworks": [
        r"^\d+ cases, \d+ checks, 0 failed.*$", r"^\d+ outputs agree.*$", r"^\d+ networks of ncnn's, 0 failed$"],
}
NETWORK = re.compile(r"^(\S+) +(\S+) +(?:bare|averaged|parallel|params|compiled|training) +(\S+)  (.+)$")


def steps(text):
    """The lines of each step by its title."""
    found = collections.OrderedDict()
    lines = found.setdefault("", [])
    for line in text.splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:], [])
        else:
            lines.append(line)
    return found


def tidy(line):
    line = re.sub(r"^[✔◇] ", "", line)
    line = re.sub(r" after [0-9.]+ seconds\.?", "", line)
    return re.sub(r"(?<![=\d.])\d+\.\d{4,}(?:e-\d+)?", lambda number: f"{float(number[0]):.1e}", line)


def main():
    log, commit = sys.argv[1:]
    found = steps(open(log, encoding="utf-8").read())
    out = [
        "# What the frameworks and Aviary compute of each other's files",
        "",
        f"A whole run of `Scripts/interop --all` on commit {commit}, {datetime.date.today()}. The script wrote this page; "
        "differences are relative to the largest value of an output.",
        "",
    ]
    for title, patterns in COUNTS.items():
        out += [f"## {title[0].upper()}{title[1:]}", ""]
        for pattern in patterns:
            lines = [line for line in found.get(title, []) if re.search(pattern, line)]
            if not lines:
                sys.exit(f"summary: {title}: no line that matches {pattern}")
            out += [f"- {tidy(line)}" for line in lines]
        out.append("")
        if title.startswith("published"):
            rows = collections.OrderedDict()
            for line in found[title]:
                if match := NETWORK.match(line):
                    network, label, worst, source = match.groups()
                    rows.setdefault(network, []).append((label, float(worst), source))
            out += ["| network | configurations | worst | references |", "|---|---|---|---|"]
            for network, cases in sorted(rows.items()):
                sources = ", ".join(sorted({source for _, _, source in cases}))
                labels = ", ".join(f"`{label}`" for label, _, _ in cases)
                out.append(f"| `{network}` | {len(cases)}: {labels} | {max(w for _, w, _ in cases):.1e} | {sources} |")
            out.append("")
    print("\n".join(out).rstrip())


if __name__ == "__main__":
    main()
