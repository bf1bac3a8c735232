# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""results.csv, scans.csv, table.txt, table.md, summary.md, and two figures where matplotlib is installed."""
import csv
import math
import os
import platform
import time

import plan
import results



def write(out, chosen, betas, volumes, rows, scans):
    write_csv(out / "results.csv", results.columns(chosen.theory.observables), rows)
    write_csv(out / "scans.csv", results.SCAN_COLUMNS, scans)
    write_tables(out, chosen, betas, volumes, rows, scans)
    write_summary(out, chosen.theory, rows)
    written = ["results.csv", "scans.csv", "table.txt", "table.md", "summary.md"]
    print((out / "table.txt").read_text())
    try:
        import figures
    except ImportError:
        print("no figures: matplotlib is not installed (python3-matplotlib)")
    else:
        written += figures.draw(out, chosen.theory, betas, volumes, rows)
    print(f"written to {out}: {', '.join(written)}")


def write_csv(path, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: f"{value:.10g}" if isinstance(value, float) else value for key, value in row.items()})


# -------------------------------------------------------------------------------------------------------------- words

def number(value, digits=3):
    if value is None:
        return "-"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        digits = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:.{min(digits, 6)}f}"
    return f"{value:.{digits - 1}e}"


def with_error(value, error):
    """3.04(9): the error in units of the last digit shown."""
    if value is None:
        return "-"
    if not error or not math.isfinite(error):
        return number(value)
    places = max(0, 1 - math.floor(math.log10(error)))
    if places > 12:
        return number(value)
    if places > 1 and float(f"{error:.{places - 1}f}") * 10 ** (places - 1) >= 3:  # one digit is enough
        places -= 1
    shown = f"{error:.{places}f}" if error >= 1 else f"{round(error * 10**places)}"
    return f"{value:.{places}f}({shown})"


def time_of(row, short):
    if short == "q" and row["tau_is_bound"] and row["tau_q"] is not None:
        return f"> {number(row['tau_q'])}"
    return with_error(row[f"tau_{short}"], row[f"tau_{short}_error"])


def micro(value, bound=False):
    return "-" if value is None else ("> " if bound else "") + number(1e6 * value)


def cost_cells(row, observables):
    return [
        f"{row['size']}", f"{row['beta']:g}", row["title"], row["settings"],
        with_error(row["ess"], row["ess_error"]), number(row["acceptance"]),
        *(time_of(row, short) for short in observables.values()),
        micro(row["core_seconds_per_update"]), micro(row["cost_core_seconds"], row["tau_is_bound"]),
        micro(row["cost_slowest_core_seconds"]), number(row["cost_joules"]),
        number(row["training_core_seconds"]),
        row["note"] or row["verdict"] or ("cheapest" if row["cheapest"] else ""),
    ]


SYMBOLS = {"q": "Q", "q2": "Q^2", "plaquette": "P", "loop": "W4x4", "line": "L"}


def cost_headings(observables):
    return ["L", "beta", "method", "settings", "ESS", "acceptance", *(f"tau({SYMBOLS[short]})" for short in observables.values()),
            "us/update", "us/sample", "us/sample, slowest", "J/sample", "training, s", "verdict"]


def checked(observables):
    """What has a known mean that tells something."""
    return [short for short in observables.values() if short != "q"]


def check_cells(row, observables):
    def compared(short):
        return (with_error(row[short], row[f"{short}_error"]), number(row[f"{short}_exact"], 5),
                number(row[f"{short}_pull"], 2))

    return [
        f"{row['size']}", f"{row['beta']:g}", row["title"],
        *(cell for short in checked(observables) for cell in compared(short)),
        number(row["charge_p_value"], 2), with_error(row["log_z"], row["log_z_error"]), number(row["log_z_exact"], 7),
        number(row["log_z_pull"], 2),
    ]


def check_headings(observables):
    names = [name for short in checked(observables) for name in (SYMBOLS[short], "exact", "pull")]
    return ["L", "beta", "method", *names, "p of P(Q)", "ln Z", "exact", "pull"]


def scan_cells(row):
    return [
        f"{row['size']}", f"{row['beta']:g}", row["title"], row["settings"], number(row["acceptance"]),
        micro(row["core_seconds_per_update"]),
        with_error(row["tau"], row["tau_error"]) if row["tau_reliable"] else "-",
        number(row["tau_of_hops"]), micro(row["cost_core_seconds"]), micro(row["cost_slowest_core_seconds"]),
        row["note"] or ("chosen" if row["chosen"] else ""),
    ]


SCAN_HEADINGS = ["L", "beta", "method", "settings", "acceptance", "us/update", "tau", "from hops", "us/sample",
                 "slowest", ""]


# ------------------------------------------------------------------------------------------------------------- tables

def as_text(headings, lines):
    rows = [headings, *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(headings))]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def as_markdown(headings, lines):
    rows = [headings, ["---"] * len(headings), *lines]
    return "".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |\n" for line in rows)


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def summary_cells(theory, rows, of_point):
    """One line for a lattice: what each method's independent sample costs, and the flow's quality."""
    cells = [f"{of_point['size']}", f"{of_point['beta']:g}"]
    by_method = {row["method"]: row for row in rows if (row["size"], row["beta"]) == (of_point["size"], of_point["beta"])}
    for method in theory.methods:
        row = by_method.get(method.name)
        cost = micro(row["cost_core_seconds"], row["tau_is_bound"]) if row else "-"
        cells.append(f"**{cost}**" if row and row["cheapest"] else cost)
    flow = by_method.get("flow")
    return cells + ([with_error(flow["ess"], flow["ess_error"]), time_of(flow, next(iter(theory.observables.values()))), flow["note"] or flow["verdict"] or ""] if flow else ["-"] * 3)


def write_summary(out, theory, rows):
    headings = ["L", "beta", *(f"{method.title}, us" for method in theory.methods), "ESS", f"tau_int({SYMBOLS[next(iter(theory.observables.values()))]})", "flow against the best baseline"]
    points = {(row["size"], row["beta"]): row for row in rows}
    (out / "summary.md").write_text(as_markdown(headings, [summary_cells(theory, rows, row) for row in points.values()]), encoding="utf-8")


def write_tables(out, chosen, betas, volumes, rows, scans):
    def of(points):
        return [row for p in points for row in rows if (row["size"], row["beta"]) == (p.size, p.beta)]

    of_betas, of_volumes = of(betas), of(volumes)
    machine = (f"{processor()}, {len(os.sched_getaffinity(0))} cores; {time.strftime('%Y-%m-%d')};"
               f" statistics: {chosen.budget.name}; {plan.REPLICAS} replicas side by side on one core.")
    observables = chosen.theory.observables
    cost = (f"tau_int in updates, 0.5 for independent ones. us/sample: {'2 tau_int(Q)' if 'charge' in observables else 'twice the largest tau_int'}"
            " times core-microseconds per update;"
            f" slowest: the same with the largest of the {len(observables)} tau_int. '>': a lower bound, the run was too short.")
    check = ("pull: deviation from the exact value over the error from the spread of the 16 replicas. Where none is known,"
             " 'exact' is a reference, or the mean of the other methods, and its error counts too. '-': too few independent"
             " configurations to tell.")
    sections = []
    if of_betas:
        sections.append(("Cost against beta", cost, cost_headings(observables), [cost_cells(row, observables) for row in of_betas]))
    if of_volumes:
        sections.append((f"Cost at {chosen.theory.volumes}", cost, cost_headings(observables), [cost_cells(row, observables) for row in of_volumes]))
    all_rows = of_betas + [row for row in of_volumes if row not in of_betas]
    sections.append(("Correctness", check, check_headings(observables), [check_cells(row, observables) for row in all_rows if row["updates"]]))
    if scans:
        words = ("What every method was tuned by; the cheapest was used. tau: what runs are judged by, of Q where there is a charge, else the largest. 'from hops': tau_int(Q) from the rate at which"
                 " Q changes, where most runs of a scan are too short for the Gamma method.")
        sections.append(("Scans", words, SCAN_HEADINGS, [scan_cells(row) for row in scans]))
    with open(out / "table.txt", "w", encoding="utf-8") as file:
        file.write(f"{machine}\n")
        for title, words, headings, lines in sections:
            file.write(f"\n{title}\n{words}\n\n{as_text(headings, lines)}")
    with open(out / "table.md", "w", encoding="utf-8") as file:
        file.write(f"{machine}\n")
        for title, words, headings, lines in sections:
            file.write(f"\n## {title}\n\n{words}\n\n{as_markdown(headings, lines)}")
