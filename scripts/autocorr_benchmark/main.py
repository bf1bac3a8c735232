# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""Autocorrelation and cost of methods in two dimensions: scans, statistics, timings, tables and figures."""
import argparse
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import plan
import report
import results
import runs
import schwinger
import sun
import u1

THEORIES = {"u1": u1.THEORY, "su2": sun.SU2, "su3": sun.SU3, "schwinger": schwinger.THEORY}
SOURCE = Path(__file__).resolve().parents[2]

EXAMPLE = """example:
  scripts/autocorr-benchmark --quick --beta 2,3 --out quick
  scripts/autocorr-benchmark --out benchmark
  scripts/autocorr-benchmark --theory su3 --quick --beta 6 --out colour
  scripts/autocorr-benchmark --theory schwinger --quick --out quarks

A run that was interrupted goes on when it is started again with the same --out: what is finished is not run again.
"""


def options(arguments):
    parser = argparse.ArgumentParser(
        prog="autocorr-benchmark", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXAMPLE,
        description="Autocorrelation times and cost per independent sample of HMC, heatbath + overrelaxation,"
                    " winding HMC, the direct sampler, flow proposals and FTHMC, for two-dimensional U(1); of HMC, heatbath and flow"
                    " proposals for SU(2) and SU(3); of HMC with the"
                    " determinant and with pseudofermions, and of flow proposals, each of these with instantons where they"
                    " can be, for the Schwinger model.")
    parser.add_argument("--theory", choices=THEORIES, default="u1", help="default %(default)s")
    parser.add_argument("--out", metavar="DIR", default="autocorr-benchmark.out",
                        help="where results go (default %(default)s)")
    parser.add_argument("--beta", metavar="LIST",
                        help="of u1, su2 and su3, these couplings on 16x16 alone (default: those of the table, and larger"
                             " lattices)")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="short statistics: under five minutes on two cores")
    mode.add_argument("--smoke", action="store_true", help="next to no statistics, on one lattice: does it run?")
    parser.add_argument("--jobs", metavar="N", type=int, default=len(os.sched_getaffinity(0)),
                        help="runs side by side (default: the cores, %(default)s); timings are always made alone")
    parser.add_argument("--programs", metavar="DIR", default=str(SOURCE / "build"),
                        help="where flowhmc and flowstat are (default %(default)s)")
    parser.add_argument("--models", metavar="DIR", default=str(SOURCE / "share" / "models"),
                        help="where models are (default %(default)s)")
    chosen = parser.parse_args(arguments)
    chosen.theory = theory = THEORIES[chosen.theory]
    chosen.budget = plan.patient(plan.BUDGETS["smoke" if chosen.smoke else "quick" if chosen.quick else "full"], theory.patience)
    if chosen.beta and not theory.betas:
        parser.error(f"--beta {chosen.beta}: --theory schwinger has one coupling")
    try:
        chosen.betas = [float(beta) for beta in chosen.beta.split(",")] if chosen.beta else list(theory.betas)
    except ValueError:
        parser.error(f"--beta {chosen.beta}: give numbers, for example --beta 1,2.5")
    if min(chosen.betas, default=1) <= 0 or chosen.jobs < 1:
        parser.error("couplings and jobs are positive")
    if chosen.smoke and theory.betas and not chosen.beta:
        chosen.betas = [float(theory.betas[1])]
    chosen.volumes = not (theory.betas and (chosen.beta or chosen.smoke))
    return chosen


def fail(message):
    sys.exit(f"autocorr-benchmark: {message}")


def prepare(chosen):
    place = runs.Place(Path(chosen.programs).resolve(), Path(chosen.models).resolve(), Path(chosen.out).resolve())
    for program in ("flowhmc", "flowstat"):
        if not os.access(place.programs / program, os.X_OK):
            fail(f"{place.programs / program} is not there: run scripts/build, or name the folder with --programs")
    try:
        (place.out / "pieces").mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        fail(f"{place.out}: {failure.strerror}: choose another --out")
    return place


# ----------------------------------------------------------------------------------------------------------- the stages

START = 0.7  # seconds that a run takes to begin and to be analysed


def piece_of(kind, point, method, settings, budget, walltime, every=1):
    numbers = "-".join(f"{value:g}" for value in settings.values())
    name = "-".join(part for part in (point.name, method.name, kind, numbers) if part)
    steps = budget.most_rows * every
    thermalise = 0 if method.has_model else 20  # their steps take long, and the first tenth is left out anyway
    return runs.Piece(name, kind, point, method, settings, steps, walltime + START, walltime, every, thermalise)


def scan_pieces(grids, budget):
    """The settings of each case, for methods that have several."""
    return [piece_of("scan", point, method, settings, budget, plan.scan_seconds(budget, method, point))
            for (point, method), grid in grids.items() if len(grid) > 1 for settings in grid]


def statistics_pieces(settings, budget):
    """Where a run is long, its rows are far between: then a second one sees what moves fast."""
    pieces = []
    for (point, method), these in settings.items():
        seconds = plan.statistics_seconds(budget, method, point)
        every = 10 if method.slow and seconds >= 100 else 1
        pieces.append(piece_of("statistics", point, method, these, budget, seconds, every))
        if every > 1:
            pieces.append(piece_of("dense", point, method, these, budget, budget.dense))
    return pieces


def timing_pieces(case, settings, estimate, budget):
    """Whole batches of proposals, and as many steps as the time allows; nothing is measured."""
    point, method = case
    pieces = []
    for batch in budget.batches if "batch" in settings else (None,):
        these = dict(settings, batch=batch) if batch else settings
        unit = max(1, (batch or 1) // plan.REPLICAS)
        steps = unit * max(1, round(budget.timing / (estimate * plan.REPLICAS * unit)))
        for repeat in range(budget.repeats):
            piece = piece_of(f"timing{repeat}", point, method, these, budget, 0)
            piece.steps, piece.every, piece.thermalise = steps, 0, unit if method.has_model else 20
            piece.seconds = START + (steps + piece.thermalise) * plan.REPLICAS * estimate
            pieces.append(piece)
    return pieces


class Progress:
    """One line for each piece, with the time that is left of all stages."""

    def __init__(self):
        self.seconds = 0.0

    def say(self, text):
        left = max(0, self.seconds)
        left = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
        print(f"[{time.strftime('%H:%M:%S')}] {text}; about {left} left", flush=True)


def describe(piece):
    figures = piece.figures
    if "failure" in figures:
        return f"{piece.name}: {figures['failure']}"
    judged = results.judged_by(figures)
    tau = f", tau_int {judged['tau']:.3g}" if judged and judged["reliable"] else ""
    return f"{piece.name}: {figures['updates']} updates of {1e6 * figures['core_seconds_per_update']:.3g} us{tau}"


def execute(pieces, place, progress, jobs):
    """Fills in the figures of the pieces, `jobs` of them at a time."""
    def take(piece):
        piece.figures = runs.finished(piece, place)
        known = piece.figures is not None
        if not known:
            piece.figures = runs.run(piece, place)
        return piece, known

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(take, piece) for piece in pieces]
        try:
            for number, future in enumerate(as_completed(futures), 1):
                piece, known = future.result()
                progress.seconds -= piece.seconds / jobs
                progress.say(f"{number}/{len(pieces)} {describe(piece)}{' (was there)' if known else ''}")
        except BaseException:
            place.stop()
            pool.shutdown(cancel_futures=True)
            raise


def benchmark(chosen, place):
    """All stages.  Returns the points of both figures, the scans and the rows of the table."""
    budget, jobs = chosen.budget, chosen.jobs
    theory = chosen.theory
    betas = theory.beta_points(chosen.betas, budget.size)
    same = {(point.size, point.beta): point for point in betas}
    volumes = [same.get((point.size, point.beta), point) for point in theory.volume_points(budget.most)] if chosen.volumes else []
    others = [point for point in volumes if point not in betas]
    cases = [(point, method) for point in betas + others for method in theory.methods
             if not method.has_model or place.model(point).exists()]
    grids = {case: case[1].scan(case[0], budget.volume_depth if case[0] in others else budget.depth) for case in cases}

    progress = Progress()
    scans = scan_pieces(grids, budget)
    ahead = scans + statistics_pieces({case: grid[0] for case, grid in grids.items()}, budget)
    timings = sum(budget.repeats * (len(budget.batches) if "batch" in grid[0] else 1) for grid in grids.values())
    progress.seconds = sum(piece.seconds for piece in ahead) / jobs + timings * (START + budget.timing)
    progress.say(f"{len(cases)} cases on {len(betas + others)} lattices, {jobs} runs side by side")

    execute(scans, place, progress, jobs)
    statistics = statistics_pieces(results.choose(grids, scans), budget)
    execute(statistics, place, progress, jobs)
    timings = []
    for piece in statistics:
        if piece.kind == "statistics" and "failure" not in piece.figures:
            estimate = piece.figures["core_seconds_per_update"]
            timings += timing_pieces((piece.point, piece.method), piece.settings, estimate, budget)
    # round by round, so that a disturbance of the machine hits one repetition of each
    timings.sort(key=lambda piece: piece.kind)
    progress.seconds = sum(piece.seconds for piece in timings)
    execute(timings, place, progress, 1)
    return betas, volumes, scans, results.rows(theory, betas + others, statistics, timings, place)


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    chosen = options(sys.argv[1:])
    place = prepare(chosen)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        betas, volumes, scans, rows = benchmark(chosen, place)
        report.write(place.out, chosen, betas, volumes, rows, results.scan_rows(scans, rows))
    except KeyboardInterrupt:
        fail("interrupted: start it again to go on")
    except OSError as failure:
        fail(f"{failure.filename or place.out}: {failure.strerror}: start it again to go on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
