# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of a run."""
import json
import pathlib

import numpy

from .files import open_verified, text_of
from .settings import parse_settings


def _read_history(path):
    """Replicas, steps and columns of a file."""
    with open_verified(path, "history") as file:
        names = text_of(file.attrs["columns"]).split()
        return int(file.attrs["replicas"]), file["step"][...].astype("int64"), {name: file[name][...].T.copy() for name in names}


class Run:
    """What a run of flowhmc has left in its directory, as far as it has come.

    path      the directory
    config    the complete configuration, as a dictionary
    summary   summary.json; empty while the run has not ended
    columns   names of the measured numbers
    replicas  number of independent chains
    steps     step of each row, an array of integers
    history   {name: array [replica][row]}
    series    {NAME: (replicas, steps, {name: array [replica][row]})} of each history-NAME.h5: what is measured at steps, or of a replica,
              of its own
    trajectories       {name: array [replica][step]} of trajectories.h5: dh_0, accepted_0, ...; empty if there is none
    trajectory_steps   step of each of them
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        config, summary = self.path / "config.cfg", self.path / "summary.json"
        self.config = parse_settings(config.read_text(encoding="utf-8"), str(config)) if config.exists() else {}
        self.summary = json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else {}
        self.replicas, self.steps, self.history = _read_history(self.path / "history.h5")
        self.series = {path.stem.removeprefix("history-"): _read_history(path) for path in sorted(self.path.glob("history-*.h5"))}
        self.columns = [name for _, _, history in self._all() for name in history]
        self.trajectory_steps, self.trajectories = numpy.zeros(0, "int64"), {}
        if (self.path / "trajectories.h5").exists():
            _, self.trajectory_steps, self.trajectories = _read_history(self.path / "trajectories.h5")

    def _all(self):
        return [(self.replicas, self.steps, self.history), *self.series.values()]

    def _find(self, name):
        """Replicas, steps and values of a column."""
        for replicas, steps, history in self._all():
            if name in history:
                return replicas, steps, history[name]
        raise KeyError(f"{self.path}: there is no '{name}': there are {', '.join(self.columns)}")

    def __getitem__(self, name):
        """One column, [replica][row]."""
        return self._find(name)[2]

    def steps_of(self, name):
        """The step of each row of a column."""
        return self._find(name)[1]

    def __repr__(self):
        return f"Run('{self.path}': {', '.join(self.columns)}; {self.replicas} x {len(self.steps)} rows)"

    def obs(self, name, skip=0, ensemble=None):
        """A column as an Obs of pyerrors: a chain for each replica, its configurations numbered by the steps.

        skip      rows left out at the beginning of each replica
        ensemble  its name in pyerrors; the name of the directory if not given
        """
        try:
            import pyerrors
        except ImportError:
            raise ImportError("Run.obs needs pyerrors, which is not installed: pip install pyerrors") from None
        ensemble = ensemble or self.path.resolve().name.replace("|", "_")
        replicas, steps, values = self._find(name)
        return pyerrors.Obs(list(values[:, skip:]), [f"{ensemble}|r{r}" for r in range(replicas)], idl=[steps[skip:].tolist()] * replicas)
