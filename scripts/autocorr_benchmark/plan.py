# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""What is run: the points, the methods with the settings that are scanned, and how long each run takes."""
import math
from dataclasses import dataclass

# Figure 1: one lattice, beta rising.
BETAS = (1, 2, 3, 4, 5, 6, 7)
SIZE = 16

# Figure 2: constant physics, beta / L^2 = 7 / 256.  (L, beta, model of the flow); where figure 1 has such a point, that
# one is taken.
VOLUMES = (
    (8, 1.75, "u1-beta1.75.h5"),
    (16, 7, "u1-beta7.h5"),
    (32, 28, "u1-beta28.h5"),
    (64, 112, "u1-beta112.h5"),
)

REPLICAS = 16
BATCHES = (16, 64, 256)  # proposals that a flow draws ahead at once


@dataclass(frozen=True)
class Point:
    size: int
    beta: float
    model: str

    @property
    def name(self):
        return f"L{self.size}-beta{self.beta:g}"


def beta_points(betas, size):
    return [Point(size, beta, f"u1-beta{beta:g}.h5") for beta in betas]


def volume_points():
    return [Point(*entry) for entry in VOLUMES]


# ------------------------------------------------------------------------------------------------------------ methods

@dataclass(frozen=True)
class Method:
    name: str
    title: str
    scan: callable     # (point, how thorough) -> list of settings
    updates: callable  # (settings, path of the model) -> the list `updates` of a configuration
    has_model: bool = False
    precision: str = "double"  # of the flow's layers
    slow: bool = False  # its charge freezes as beta rises


def hmc_update(settings, _model):
    """Of random lengths: where beta is large, a fixed one leaves modes behind, and no autocorrelation time shows it."""
    return ('{{ kind = "hmc"; trajectory = {length:g}; randomise = 0.3; steps = {steps}; integrator = "omf2"; }}'
            .format(**settings))


def trajectory(point, length, steps):
    """Length and steps are those for beta = 1 and L = 16: frequencies grow like sqrt(beta), and the violation of energy
    conservation like the volume times the fourth power of the step size."""
    finer = max(1, math.sqrt(point.size / 16))
    return {"length": float(f"{length / math.sqrt(point.beta):.3g}"), "steps": math.ceil(steps * finer)}


def scan_hmc(point, depth):
    grids = {
        "full": ((1.5, 2), (1.5, 3), (2, 3), (2, 4), (3, 5), (3, 6), (4, 6), (4, 8), (6, 9), (6, 12)),
        "thin": ((2, 3), (2, 4), (4, 8)),
        "tiny": ((2, 4),),
    }
    return [trajectory(point, length, steps) for length, steps in grids[depth]]


def scan_winding(point, depth):
    grids = {
        "full": (((1, 2), (2, 4), (3, 6)), (1, 2, 4, 8, 16)),
        "thin": (((1, 2), (2, 4)), (2, 8)),
        "tiny": (((1, 2),), (4,)),
    }
    trajectories, hits = grids[depth]
    return [dict(trajectory(point, *one), hits=count) for one in trajectories for count in hits]


def scan_heatbath(_point, depth):
    return [{"overrelax": count} for count in {"full": (0, 1, 2, 3, 4, 6), "thin": (1, 3), "tiny": (1,)}[depth]]


def heatbath_updates(settings, _model):
    more = ', {{ kind = "overrelax"; count = {overrelax}; }}' if settings["overrelax"] else ""
    return ('{{ kind = "heatbath"; }}' + more).format(**settings)


def scan_fthmc(_point, depth):
    grids = {"full": ((1, 2), (1, 4), (2, 6)), "thin": ((1, 4),), "tiny": ((1, 4),)}
    return [{"length": float(length), "steps": steps} for length, steps in grids[depth]]


def flow_updates(settings, model):
    return f'{{ kind = "flow"; model = "{model}"; batch = {settings["batch"]}; }}'


def fthmc_updates(settings, model):
    return ('{{ kind = "fthmc"; model = "{model}"; trajectory = {length:g}; steps = {steps}; integrator = "omf2"; }}'
            .format(model=model, **settings))


METHODS = (
    Method("hmc", "HMC", scan_hmc, hmc_update, slow=True),
    Method("heatbath", "heatbath + overrelaxation", scan_heatbath, heatbath_updates, slow=True),
    Method("winding", "winding HMC", scan_winding,
           lambda s, model: hmc_update(s, model) + f', {{ kind = "instanton"; hits = {s["hits"]}; }}'),
    Method("direct", "direct sampler", lambda point, depth: [{}], lambda s, model: '{ kind = "direct"; }'),
    Method("flow", "flow + Metropolis", lambda point, depth: [{"batch": 64}], flow_updates, has_model=True,
           precision="float"),
    Method("fthmc", "FTHMC", scan_fthmc, fthmc_updates, has_model=True),
)


def text_of(settings):
    return " ".join(f"{key} {value:g}" for key, value in settings.items()) or "-"


# ------------------------------------------------------------------------------------------------------------ budgets

@dataclass(frozen=True)
class Budget:
    """Seconds, each run by itself."""
    name: str
    depth: str         # of the scans at the points of figure 1
    volume_depth: str  # and at those of figure 2
    scan: int
    scan_frozen: int   # of methods that freeze, at beta >= 6
    scan_model: int    # of methods with a model
    statistics: int
    model: int         # statistics of methods with a model
    slow: tuple        # statistics of methods that freeze: (least beta, seconds), falling
    dense: int         # a second run that measures after every update, where the first does not
    timing: float
    repeats: int
    batches: tuple
    most_rows: int = 40000
    size: int = SIZE


BUDGETS = {
    "full": Budget("full", "full", "thin", 3, 10, 10, 20, 60, ((7, 200), (6, 100), (0, 25)), 10, 0.5, 3, BATCHES),
    "quick": Budget("quick", "thin", "tiny", 1, 1, 1, 2, 3, ((0, 2),), 0, 0.2, 1, (64,)),
    "smoke": Budget("smoke", "tiny", "tiny", 1, 1, 1, 1, 1, ((0, 1),), 0, 0.01, 1, (16,), 100, 8),
}


def scan_seconds(budget, method, point):
    if method.has_model:
        return budget.scan_model
    return budget.scan_frozen if method.slow and 6 <= point.beta <= max(BETAS) else budget.scan


def statistics_seconds(budget, method, point):
    """Beyond the range of figure 1 nothing that freezes gets anywhere, however long."""
    if method.has_model:
        return budget.model
    if not method.slow:
        return budget.statistics
    if point.beta > max(BETAS):
        return budget.slow[-1][1]
    return next(seconds for least, seconds in budget.slow if point.beta >= least)
