# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of runs and trainings by matplotlib, in any format that it writes.

    python3 -m flowhmc.plot [--skip N] RUN|MODEL FILE.png
"""
import argparse
import pathlib
import sys

import numpy

from .model import Model
from .run import Run


def autocorrelation(series, lags):
    """rho(t) for t = 0 ... lags of an array [replica][row], with the mean of all replicas."""
    rows = series.shape[1]
    deviations = series - series.mean()
    modes = numpy.fft.rfft(deviations, 2 * rows)
    gamma = numpy.fft.irfft((abs(modes) ** 2).sum(0))[:lags + 1] / (rows - numpy.arange(lags + 1))
    return gamma / gamma[0] if gamma[0] > 0 else numpy.full(lags + 1, numpy.nan)


def plot_run(run, skip=0):
    """History and autocorrelation of each column, and the distribution of the charge."""
    from matplotlib import pyplot
    charge = "charge" in run.columns
    figure, panels = pyplot.subplots(len(run.columns) + charge, 2, squeeze=False, constrained_layout=True,
                                     figsize=(10, 2.4 * (len(run.columns) + charge)))
    for (left, right), name in zip(panels, run.columns):
        steps = run.steps_of(name)
        kept = steps > run.steps[:skip].max(initial=-1)
        series = run[name][:, kept]
        rho = autocorrelation(series, min(series.shape[1] - 1, 200))
        below = numpy.flatnonzero(rho < 0.02)
        left.plot(steps[kept], series.T, linewidth=0.5)
        left.set(xlabel="step", ylabel=name)
        right.plot(rho[:max(20, 3 * below[0]) if below.size else None], "o-", markersize=3)
        right.axhline(0, color="grey", linewidth=0.5)
        right.set(xlabel="lag, in rows", ylabel="rho")
    if charge:
        values, counts = numpy.unique(numpy.rint(run["charge"][:, skip:]), return_counts=True)
        panels[-1, 0].bar(values, counts / counts.sum())
        panels[-1, 0].set(xlabel="Q", ylabel="P(Q)")
        panels[-1, 1].remove()
    figure.suptitle(str(run.path))
    return figure


def plot_model(model):
    """Loss, effective sample size and norm of the gradient against the steps of the training."""
    from matplotlib import pyplot
    figure, panels = pyplot.subplots(3, 1, sharex=True, constrained_layout=True, figsize=(8, 7))
    for panel, name in zip(panels, ("loss", "ess", "gradient_norm")):
        panel.plot(model.history["step"], model.history[name], "o-", markersize=3)
        panel.set(ylabel=name)
    panels[-1].set(xlabel="step")
    figure.suptitle(str(model.path))
    return figure


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python3 -m flowhmc.plot", description="Draws a run or the training of a model.")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="leave out the first N rows of a run")
    parser.add_argument("source", metavar="RUN|MODEL")
    parser.add_argument("file", metavar="FILE.png")
    given = parser.parse_args(arguments)
    try:
        import matplotlib
        matplotlib.use("Agg")
        if pathlib.Path(given.source).is_dir():
            figure = plot_run(Run(given.source), given.skip)
        else:
            model = Model(given.source)
            if not model.history:
                raise ValueError(f"{given.source}: holds no history of a training")
            figure = plot_model(model)
        figure.savefig(given.file, dpi=150)
    except (ImportError, OSError, ValueError) as failure:
        print(f"flowhmc.plot: {failure}", file=sys.stderr)
        return 4 if isinstance(failure, OSError) else 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
