# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""From the figures of the pieces to the rows of the table."""
import math

import exact
import plan


def columns(observables):
    short = observables.values()
    return (
        ["size", "beta", "method", "title", "settings", "note", "updates", "acceptance", "ess", "ess_error"]
        + [f"tau_{name}{what}" for name in short for what in ("", "_error")] + ["tau", "tau_error", "tau_is_bound"]
        + ["core_seconds_per_update", "timing_spread", "joules_per_update"]
        + ["cost_core_seconds", "cost_error", "cost_joules", "cost_slowest_core_seconds", "cheapest"]
        + ["training_core_seconds", "best_baseline", "break_even_samples", "verdict"]
        + [f"{name}{what}" for name in short for what in ("", "_error", "_spread", "_exact", "_pull")]
        + ["charge_p_value", "log_z", "log_z_error", "log_z_exact", "log_z_pull", "proposals", "model", "model_sha256"]
    )


SCAN_COLUMNS = ["size", "beta", "method", "title", "settings", "chosen", "acceptance", "core_seconds_per_update", "tau",
                "tau_error", "tau_reliable", "tau_of_hops", "cost_core_seconds", "cost_slowest_core_seconds", "note"]


def judged_by(figures):
    """The estimate that a run is judged by: of the charge, else of what is slowest.  None: there is none."""
    known = figures.get("observables", {})
    return known.get("charge") or max(known.values(), key=lambda one: one["tau"] or 0, default=None)


# -------------------------------------------------------------------------------------------------------------- scans

def scan_tau(figures, by_hops):
    if "failure" in figures:
        return None
    return figures["tau_of_hops"] if by_hops else judged_by(figures)["tau"]


def judged_by_hops(pieces):
    """Where most of a scan is too short for the Gamma method, all of it is judged by how often the charge changes."""
    good = [piece for piece in pieces if "charge" in piece.figures.get("observables", {})]
    return 2 * sum(piece.figures["observables"]["charge"]["reliable"] for piece in good) < len(good)


def scan_cost(piece, by_hops):
    tau = scan_tau(piece.figures, by_hops)
    if tau is None or (not by_hops and not judged_by(piece.figures)["reliable"]):
        return None
    return 2 * tau * piece.figures["core_seconds_per_update"]


def slowest_cost(figures):
    """With the largest tau_int of all observables; None where one of them is not known."""
    known = figures.get("observables", {})
    if not known or not all(one["reliable"] for one in known.values()):
        return None
    return 2 * max(one["tau"] for one in known.values()) * figures["core_seconds_per_update"]


def best_of(pieces):
    """The cheapest, by what runs are judged by; if that never moves, by the plaquette."""
    by_hops = judged_by_hops(pieces)
    costs = [(scan_cost(piece, by_hops), piece) for piece in pieces]
    known = [(cost, piece.name, piece) for cost, piece in costs if cost is not None]
    if not known:
        moved = [piece for piece in pieces if piece.figures.get("observables", {}).get("plaquette", {}).get("tau")]
        known = [(one.figures["observables"]["plaquette"]["tau"] * one.figures["core_seconds_per_update"], one.name,
                  one) for one in moved]
    return min(known)[2] if known else pieces[0]


def choose(grids, scans):
    """The best settings of each case."""
    chosen = {}
    for (point, method), grid in grids.items():
        pieces = [piece for piece in scans if piece.point == point and piece.method == method]
        chosen[point, method] = best_of(pieces).settings if pieces else grid[0]
    return chosen


def scan_rows(scans, rows):
    chosen = {(row["size"], row["beta"], row["method"]): row["settings"] for row in rows}
    table = []
    for key in dict.fromkeys((piece.point, piece.method) for piece in scans):
        pieces = [piece for piece in scans if (piece.point, piece.method) == key]
        by_hops = judged_by_hops(pieces)
        for piece in pieces:
            figures, text = piece.figures, plan.text_of(piece.settings)
            judged = judged_by(figures) or {}
            case = (piece.point.size, piece.point.beta, piece.method.name)
            table.append({
                "size": case[0], "beta": case[1], "method": case[2], "title": piece.method.title, "settings": text,
                "chosen": chosen.get(case) == text, "acceptance": figures.get("acceptance"),
                "core_seconds_per_update": figures.get("core_seconds_per_update"),
                "tau": judged.get("tau"), "tau_error": judged.get("tau_error"), "tau_reliable": judged.get("reliable"),
                "tau_of_hops": figures.get("tau_of_hops"), "cost_core_seconds": scan_cost(piece, by_hops),
                "cost_slowest_core_seconds": slowest_cost(figures),
                "note": figures.get("failure", ""),
            })
    return table


# --------------------------------------------------------------------------------------------------------------- rows

def take_times(row, point, figures, dense):
    """tau_int of all observables; of what moves fast, from the run that measured after every update.  And the one that counts."""
    for name, short in point.observables.items():
        source = dense if dense and not name.startswith("charge") else figures
        one = source.get("observables", {}).get(name, {})
        if one.get("reliable"):
            row[f"tau_{short}"], row[f"tau_{short}_error"] = one["tau"], one["tau_error"]
    if "tau_at_least" in figures:
        row["tau_is_bound"] = row["tau_q"] is None
        if row["tau_is_bound"]:
            row["tau_q"] = figures["tau_at_least"]
        row["tau"], row["tau_error"] = row["tau_q"], row["tau_q_error"]
    elif judged_by(figures)["reliable"]:
        row["tau"], row["tau_error"] = judged_by(figures)["tau"], judged_by(figures)["tau_error"]


def take_means(row, point, figures):
    for name, short in point.observables.items():
        one = figures["observables"][name]
        row[short], row[f"{short}_error"], row[f"{short}_exact"] = one["mean"], one["error"], figures["exact"][name]
        # where the charge does not move, nothing is an average over all sectors
        if one["reliable"] and not row["tau_is_bound"]:
            row[f"{short}_spread"] = one["spread"]
    row["charge_p_value"] = figures.get("charge_p_value")
    if figures.get("log_z") is not None:
        row["log_z"], row["log_z_error"] = figures["log_z"], figures["log_z_error"]
        if figures["exact"]["plaquette"] is not None:
            row["log_z_exact"] = exact.log_z(point.group, row["beta"], row["size"] ** 2)
            row["log_z_pull"] = (row["log_z"] - row["log_z_exact"]) / row["log_z_error"] if row["log_z_error"] else None


def mean_of_others(rows, row, short):
    """Weighted by their errors, and its error; None where there are none."""
    others = [other for other in rows if other is not row and other[f"{short}_spread"]]
    weights = [other[f"{short}_spread"] ** -2 for other in others]
    if not others:
        return None
    return sum(w * other[short] for w, other in zip(weights, others)) / sum(weights), sum(weights) ** -0.5


def compare(rows, observables, reference):
    """The means of one point with what is known: exactly, from elsewhere with an error, or else from the other methods."""
    for name, short in observables.items():
        for row in rows:
            exactly = None if row[f"{short}_exact"] is None else (row[f"{short}_exact"], 0)
            known = exactly or reference.get(name) or mean_of_others(rows, row, short)
            if known and row[short] is not None:
                row[f"{short}_exact"] = known[0]
                if row[f"{short}_spread"]:
                    row[f"{short}_pull"] = (row[short] - known[0]) / math.hypot(row[f"{short}_spread"], known[1])


def take_timing(row, pieces):
    """The fastest of the repetitions, at the batch that is fastest, and how far the slowest is from it."""
    groups = {}
    for piece in pieces:
        if "failure" not in piece.figures:
            groups.setdefault(plan.text_of(piece.settings), []).append(piece.figures)
    if not groups:
        return
    row["settings"], best = min(groups.items(), key=lambda item: min(f["core_seconds_per_update"] for f in item[1]))
    seconds = [figures["core_seconds_per_update"] for figures in best]
    joules = [figures["joules_per_update"] for figures in best]
    row["core_seconds_per_update"], row["timing_spread"] = min(seconds), max(seconds) / min(seconds) - 1
    row["joules_per_update"] = None if None in joules else min(joules)


def take_cost(row, observables):
    seconds, joules, tau = row["core_seconds_per_update"], row["joules_per_update"], row["tau"]
    if seconds is None or tau is None:
        return
    row["cost_core_seconds"] = 2 * tau * seconds
    row["cost_joules"] = None if joules is None else 2 * tau * joules
    if not row["tau_is_bound"]:
        row["cost_error"] = 2 * row["tau_error"] * seconds
        times = [row[f"tau_{short}"] for short in observables.values()]
        row["cost_slowest_core_seconds"] = None if None in times else 2 * max(times) * seconds


def make_row(point, method, pieces, place):
    row = dict.fromkeys(columns(point.observables))
    row.update(size=point.size, beta=point.beta, method=method.name, title=method.title, settings="", note="", tau_is_bound=False)
    if method.has_model:
        row["model"] = point.model
        if not place.model(point).exists():
            row["note"] = f"no model {point.model}"
            return row
    figures, dense = {}, None
    for piece in pieces:
        if piece.kind == "statistics":
            figures = piece.figures
            row["settings"] = plan.text_of(piece.settings)
        elif piece.kind == "dense":
            dense = piece.figures
    if "failure" in figures:
        row["note"] = figures["failure"]
        return row
    for name in ("updates", "acceptance", "ess", "ess_error", "proposals", "training_core_seconds", "model_sha256"):
        row[name] = figures[name]
    take_times(row, point, figures, dense)
    take_means(row, point, figures)
    take_timing(row, [piece for piece in pieces if piece.kind.startswith("timing")])
    take_cost(row, point.observables)
    return row


def judge(rows):
    """The rows of one point: who is cheapest, and from how many samples on a training has paid."""
    known = [row for row in rows if row["cost_core_seconds"] is not None and not row["tau_is_bound"]]
    if not known:
        return
    min(known, key=lambda row: row["cost_core_seconds"])["cheapest"] = True
    baselines = [row for row in known if row["model"] is None]
    if not baselines:
        return
    best = min(baselines, key=lambda row: row["cost_core_seconds"])
    for row in rows:
        if row["model"] is None or row["cost_core_seconds"] is None:
            continue
        row["best_baseline"] = best["method"]
        gain = best["cost_core_seconds"] - row["cost_core_seconds"]
        if gain > 0 and not row["tau_is_bound"]:
            row["break_even_samples"] = math.ceil(row["training_core_seconds"] / gain)
            row["verdict"] = f"wins after {row['break_even_samples']:.3g} samples"
        else:
            row["verdict"] = f"baseline wins ({best['method']})"


def rows(theory, points, statistics, timings, place):
    table = []
    for point in points:
        of_point = [piece for piece in statistics + timings if piece.point == point]
        here = [make_row(point, method, [piece for piece in of_point if piece.method == method], place)
                for method in theory.methods]
        compare(here, theory.observables, theory.reference(point))
        judge(here)
        table += here
    return table
