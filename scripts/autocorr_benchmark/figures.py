# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""The two figures: tau_int(Q) and cost per independent sample, against beta and against L at constant physics."""
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend first)

# Colours of M. Okabe and K. Ito, which everybody can tell apart.
STYLES = {
    "hmc": ("#000000", "o"), "heatbath": ("#E69F00", "s"), "winding": ("#009E73", "^"), "direct": ("#56B4E9", "D"),
    "flow": ("#D55E00", "*"), "fthmc": ("#CC79A7", "v"), "pseudofermions": ("#E69F00", "s"), "flow_winding": ("#0072B2", "P"),
}


def series(rows, points, abscissa, method, value, error):
    """Points, their errors, and lower bounds of one method."""
    measured, bounds = [], []
    for point in points:
        for row in rows:
            if (row["size"], row["beta"], row["method"]) == (point.size, point.beta, method) and row[value] is not None:
                entry = (row[abscissa], row[value], row[error] or 0)
                (bounds if row["tau_is_bound"] else measured).append(entry)
    return measured, bounds


def panel(axes, rows, methods, points, abscissa, value, error, scale, label):
    for method in methods:
        colour, marker = STYLES[method.name]
        measured, bounds = series(rows, points, abscissa, method.name, value, error)
        if measured:
            x, y, dy = zip(*measured)
            axes.errorbar(x, [scale * v for v in y], [scale * v for v in dy], color=colour, marker=marker, capsize=2,
                          markersize=9 if marker == "*" else 5, linewidth=1, label=method.title)
        if bounds:
            x, y, _ = zip(*bounds)
            y = [scale * v for v in y]
            axes.errorbar(x, y, y, lolims=True, color=colour, marker=marker, mfc="white", linestyle="none", capsize=3,
                          label=None if measured else f"{method.title} (lower bound)")
    axes.set_yscale("log")
    axes.set_ylabel(label)
    axes.grid(True, which="major", linewidth=0.3)


def figure(path, rows, methods, points, abscissa, label, title, judged):
    drawing, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.8))
    drawing.subplots_adjust(left=0.07, right=0.98, top=0.91, bottom=0.25, wspace=0.2)
    panel(left, rows, methods, points, abscissa, "tau", "tau_error", 1, f"{judged} in updates")
    panel(right, rows, methods, points, abscissa, "cost_core_seconds", "cost_error", 1e3,
          "core-milliseconds per independent sample")
    for axes in (left, right):
        axes.set_xlabel(label)
        if abscissa == "size":
            axes.set_xscale("log", base=2)
            axes.set_xticks([point.size for point in points], [str(point.size) for point in points])
    handles, labels = left.get_legend_handles_labels()
    drawing.legend(handles, labels, loc="lower center", ncol=3, frameon=False)
    drawing.suptitle(title)
    drawing.savefig(path, metadata={"Date": None})
    pyplot.close(drawing)


def draw(out, theory, betas, volumes, rows):
    pyplot.rcParams.update({"svg.hashsalt": "flowhmc", "svg.fonttype": "none"})
    drawn = []
    judged = "tau_int(Q)" if "charge" in theory.observables else "largest tau_int"
    if betas:
        size = betas[0].size
        figure(out / "figure-beta.svg", rows, theory.methods, betas, "beta", "beta", f"{theory.title}, {size} x {size}", judged)
        drawn.append("figure-beta.svg")
    if volumes:
        figure(out / "figure-volume.svg", rows, theory.methods, volumes, "size", "L", f"{theory.title}, {theory.volumes}", judged)
        drawn.append("figure-volume.svg")
    return drawn
