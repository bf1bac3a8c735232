# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""One piece of the benchmark: a run of flowhmc, reduced to the figures that are wanted of it.  What is finished is kept
as pieces/NAME.json, with the configuration that made it, and is not run again."""
import hashlib
import json
import math
import shutil
import subprocess
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

import exact
import plan

FEWEST_HOPS = 20  # changes of the charge, of all replicas together, from which tau_int can be told
DONE, STOPPED = 0, 7  # exit codes of flowhmc: a run that reaches its wall-clock limit is as good as any


@dataclass
class Piece:
    name: str
    kind: str               # scan, statistics, dense, timing0, timing1, ...
    point: plan.Point
    method: plan.Method
    settings: dict
    steps: int
    seconds: float          # what it will take, for the estimate of the time that is left
    walltime: int = 0       # 0: all steps
    every: int = 1          # 0: nothing is measured
    thermalise: int = 20
    figures: dict = field(default_factory=dict)


@dataclass
class Place:
    programs: Path
    models: Path
    out: Path
    running: set = field(default_factory=set)  # processes
    stopped: bool = False

    def model(self, point):
        return self.models / point.model

    def stop(self):
        """Ends all runs; nothing is kept of them."""
        self.stopped = True
        for process in list(self.running):
            process.kill()


def call(place, command, folder):
    """Exit code, stdout, stderr.  In a session of its own: an interrupt of the terminal would end it regularly."""
    if place.stopped:
        raise InterruptedError
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    place.running.add(process)
    said, complaint = process.communicate()
    place.running.discard(process)
    if place.stopped:
        raise InterruptedError
    return process.returncode, said, complaint


def last_line(text, otherwise):
    return (text.strip().splitlines() or [otherwise])[-1]


def configuration(piece, place):
    # After a hot start vortices stay for long where beta is large.  A flow takes its first proposal instead.
    start = "hot" if "batch" in piece.settings else "cold"
    # Seeds are functions of the names, so that no two runs share theirs.
    seed = zlib.crc32(piece.name.encode())
    updates = piece.method.updates(piece.settings, place.model(piece.point))
    measured = ", ".join(f'"{name}"' for name in piece.point.observables if name != "charge_squared")
    lines = [
        f'lattice = {{ group = "{piece.point.group}"; size = [{piece.point.size}, {piece.point.size}]; }};',
        piece.method.action(piece.point),
        f'chain = {{ seed = {seed}; steps = {piece.steps}; thermalise = {piece.thermalise}; start = "{start}";'
        f" replicas = {plan.REPLICAS}; checkpoint_every = {1 << 40}; }};",
        f"updates = ( {updates} );",
        f'measure = {{ every = {piece.every or 1 << 40}; observables = [ {measured} ]; }};',
        f'precision = "{piece.method.precision}";',
    ]
    if piece.walltime:
        lines.append(f'walltime = "{piece.walltime}s";')
    if piece.method.has_model:  # another model of that name is another piece
        lines.append(f"# {hashlib.sha256(place.model(piece.point).read_bytes()).hexdigest()}")
    return "\n".join(lines) + "\n"


def finished(piece, place):
    """The figures of a piece that was run before with the same configuration, else None."""
    path = place.out / "pieces" / f"{piece.name}.json"
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    if kept.get("configuration") != configuration(piece, place) or "failure" in kept:
        return None
    return kept


def run(piece, place):
    """Runs a piece that is not finished, and keeps its figures.  A failure of flowhmc is a figure: "failure"."""
    text = configuration(piece, place)
    folder = place.out / "pieces" / piece.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "run.cfg").write_text(text)
    begin = time.time()
    command = [str(place.programs / "flowhmc"), "run.cfg", "--out", "run", "--quiet"]
    code, _, complaint = call(place, command, folder)
    figures = {"configuration": text, "settings": piece.settings}
    if code == DONE or (code == STOPPED and "wall-clock limit" in complaint):
        try:
            figures.update(reduce_run(piece, place, folder / "run"))
        except RuntimeError as failure:
            figures["failure"] = str(failure)
    else:
        figures["failure"] = last_line(complaint, f"flowhmc ended with code {code}")
    figures["wall_seconds"] = time.time() - begin
    path = place.out / "pieces" / f"{piece.name}.json"
    path.with_suffix(".tmp").write_text(json.dumps(figures, indent=1))
    path.with_suffix(".tmp").rename(path)
    shutil.rmtree(folder)
    return figures


# ---------------------------------------------------------------------------------------------------------- reduction

def reduce_run(piece, place, directory):
    summary = json.loads((directory / "summary.json").read_text())
    steps = summary["step"] - piece.thermalise
    if steps < 1:
        raise RuntimeError("it ended before its thermalisation: give it more time")
    updates = steps * plan.REPLICAS
    first = summary["updates"][0]
    figures = {
        "updates": updates,
        "core_seconds_per_update": summary["cost"]["core_seconds"] / updates,
        "joules_per_update": None if summary["cost"]["joules"] is None else summary["cost"]["joules"] / updates,
        "acceptance": first.get("acceptance"),
        "ess": first.get("ess"),
        "ess_error": first.get("ess_error"),
        "log_z": first.get("log_z"),
        "log_z_error": first.get("log_z_error"),
        "proposals": first.get("proposals"),
        "training_core_seconds": first.get("model", {}).get("training_core_seconds"),
        "model_sha256": first.get("model", {}).get("sha256"),
        "exact": {name: summary["observables"][name].get("exact") for name in piece.point.observables},
    }
    if piece.every:
        figures.update(reduce_history(piece, place, directory, figures["exact"]))
    return figures


def analyse(place, directory, skip):
    command = [str(place.programs / "flowstat"), "--json", "--skip", str(skip), str(directory)]
    code, said, complaint = call(place, command, directory)
    if code:
        raise RuntimeError(last_line(complaint, f"flowstat ended with code {code}"))
    return json.loads(said)["results"][0]["observables"]


def reduce_history(piece, place, directory, known):
    """Means and autocorrelation times, in updates, without the first tenth of the rows."""
    with h5py.File(directory / "history.h5", "r") as file:
        rows = file["plaquette"].shape[0]
        skip = rows // 10
        charge = np.asarray(file["charge"][skip:, :]).T.reshape(plan.REPLICAS, -1) if "charge" in known else None
        means = {name: np.mean(file[name][skip:, :], axis=0) for name in known}
    if rows - skip < 4:
        raise RuntimeError(f"{rows} rows are too few: give it more time")
    changes = {} if charge is None else hops(piece, charge, known["charge_squared"] or float((np.rint(charge)**2).mean()))
    observables = {}
    for name, estimate in analyse(place, directory, skip).items():
        if name not in known:
            continue
        # a frozen charge is an integer but for rounding, which is white noise
        moved = estimate["variance"] > 0 and (not name.startswith("charge") or changes["hops"] >= FEWEST_HOPS)
        tau, tau_error = estimate["tau_int"] * piece.every, estimate["tau_int_error"] * piece.every
        observables[name] = {
            "mean": estimate["mean"],
            "error": estimate["error"] if moved else None,
            "spread": float(np.std(means[name], ddof=1) / np.sqrt(plan.REPLICAS)) if moved else None,
            "tau": tau if moved else None,
            "tau_error": tau_error if moved else None,
            # rows of each replica, in autocorrelation times
            "reliable": bool(moved and (rows - skip) * piece.every >= 10 * tau and tau_error <= 0.5 * tau),
        }
    figures = {"observables": observables, "rows": rows - skip, **changes}
    if known.get("charge_squared") and observables["charge"]["reliable"]:
        tau = max(observables[name]["tau"] for name in ("charge", "charge_squared")) / piece.every
        volume = piece.point.size**2
        figures["charge_p_value"] = exact.charge_test(charge, piece.point.beta, volume, tau)
    return figures


def hops(piece, charge, charge_squared):
    """tau_int of Q from one measurement to the next alone, (1 + rho) / (1 - rho) / 2 with 1 - rho = <dQ^2> / 2 <Q^2>.
    No reversible chain has less: the function is convex in the eigenvalues.  With it the same at the upper end (95 %)
    of what so many changes, or none, leave open for <dQ^2>."""
    change = np.diff(np.rint(charge), axis=1)
    events, pairs = int((change != 0).sum()), change.size
    mean = float((change**2).mean())
    per_event = mean * pairs / events if events else 1.0
    most = per_event * (events + 2 * math.sqrt(events) + 3) / pairs
    figures = {"hops": events, "tau_of_hops": None}
    if events and mean < 4 * charge_squared:
        figures["tau_of_hops"] = piece.every * (4 * charge_squared / mean - 1) / 2
    figures["tau_at_least"] = piece.every * max(4 * charge_squared / most - 1, 1) / 2
    return figures
