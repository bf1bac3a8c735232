# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""What is run: points, methods and theories, which u1.py, sun.py and schwinger.py have, and how long each run takes."""
import dataclasses
import math
from dataclasses import dataclass

REPLICAS = 16
BATCHES = (16, 64, 256)  # proposals that a flow draws ahead at once

# What is measured, with its name in tables: where there is a charge, methods are judged by it, elsewhere by what is slowest.
CHARGED = {"charge": "q", "charge_squared": "q2", "plaquette": "plaquette", "wilson_loop_4x4": "loop"}
COLOURED = {"plaquette": "plaquette", "wilson_loop_4x4": "loop", "polyakov": "line"}


def observables_of(group):
    return CHARGED if group == "u1" else COLOURED


@dataclass(frozen=True)
class Point:
    size: int
    beta: float
    model: str
    kappa: float = 0  # 0: no quarks
    group: str = "u1"

    @property
    def name(self):
        group = "" if self.group == "u1" else f"{self.group}-"
        return f"{group}L{self.size}-beta{self.beta:g}" + (f"-kappa{self.kappa:g}" if self.kappa else "")

    @property
    def observables(self):
        return observables_of(self.group)

    @property
    def stiffness(self):
        """The second derivative of the action of a plaquette near one, by an angle or a component."""
        return self.beta if self.group == "u1" else self.beta / (2 * int(self.group[2:]))


# ------------------------------------------------------------------------------------------------------------ methods

@dataclass(frozen=True)
class Method:
    name: str
    title: str
    action: callable   # point -> operators and action of a configuration
    scan: callable     # (point, how thorough) -> list of settings
    updates: callable  # (settings, path of the model) -> the list `updates` of a configuration
    has_model: bool = False
    precision: str = "double"  # of the flow's layers
    slow: bool = False  # its charge freezes as beta rises


@dataclass(frozen=True)
class Theory:
    title: str
    methods: tuple
    volume_points: callable  # largest extent -> the points of figure 2
    volumes: str             # what these have in common
    group: str = "u1"
    betas: tuple = ()        # of figure 1
    beta_points: callable = lambda betas, size: []
    reference: callable = lambda point: {}  # point -> observable -> value and error, where flowhmc knows no exact ones
    patience: int = 1        # its runs take so many times as long

    @property
    def observables(self):
        return observables_of(self.group)

    def method(self, name):
        return next(method for method in self.methods if method.name == name)


def hmc_updates(settings, _model):
    """Of random lengths: where beta is large, a fixed one leaves modes behind, and no autocorrelation time shows it."""
    return ('{{ kind = "hmc"; trajectory = {length:g}; randomise = 0.3; steps = {steps}; integrator = "omf2"; }}'
            .format(**settings))


def flow_updates(settings, model):
    return f'{{ kind = "flow"; model = "{model}"; batch = {settings["batch"]}; }}'


def with_instantons(updates):
    return lambda settings, model: updates(settings, model) + f', {{ kind = "instanton"; hits = {settings["hits"]}; }}'


def trajectory(point, length, steps):
    """Length and steps are those for a stiffness of 1 and L = 16: frequencies grow like its square root, and the violation of energy
    conservation like the volume times the fourth power of the step size."""
    finer = max(1, math.sqrt(point.size / 16))
    return {"length": float(f"{length / math.sqrt(point.stiffness):.3g}"), "steps": math.ceil(steps * finer)}


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
    size: int = 16     # of the lattices of figure 1
    most: int = 16     # the largest of figure 2, but in U(1)


BUDGETS = {
    "full": Budget("full", "full", "thin", 3, 10, 10, 20, 60, ((7, 200), (6, 100), (0, 25)), 10, 0.5, 3, BATCHES, most=64),
    "quick": Budget("quick", "thin", "tiny", 1, 1, 1, 2, 3, ((0, 2),), 0, 0.2, 1, (64,)),
    "smoke": Budget("smoke", "tiny", "tiny", 1, 1, 1, 1, 1, ((0, 1),), 0, 0.01, 1, (16,), 100, 8, 8),
}


def patient(budget, times):
    """The budget of a theory whose updates take so many times as long."""
    longer = {name: times * getattr(budget, name) for name in ("scan", "scan_frozen", "scan_model", "statistics", "model", "timing")}
    return dataclasses.replace(budget, **longer)


# Couplings at which what freezes still gets somewhere, slowly
FREEZING = (6, 7)


def scan_seconds(budget, method, point):
    if method.has_model:
        return budget.scan_model
    return budget.scan_frozen if method.slow and FREEZING[0] <= point.beta <= FREEZING[1] else budget.scan


def statistics_seconds(budget, method, point):
    """Beyond these couplings nothing that freezes gets anywhere, however long."""
    if method.has_model:
        return budget.model
    if not method.slow:
        return budget.statistics
    if point.beta > FREEZING[1]:
        return budget.slow[-1][1]
    return next(seconds for least, seconds in budget.slow if point.beta >= least)
