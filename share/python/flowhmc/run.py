# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of a run."""
import json
import pathlib

from .files import open_verified, text_of
from .settings import parse_settings


class Run:
    """What a run of flowhmc has left in its directory, as far as it has come.

    path      the directory
    config    the complete configuration, as a dictionary
    summary   summary.json; empty while the run has not ended
    columns   names of the measured numbers
    replicas  number of independent chains
    steps     step of each row, an array of integers
    history   {name: array [replica][row]}
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        config, summary = self.path / "config.cfg", self.path / "summary.json"
        self.config = parse_settings(config.read_text(encoding="utf-8"), str(config)) if config.exists() else {}
        self.summary = json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else {}
        with open_verified(self.path / "history.h5", "history") as file:
            self.columns = text_of(file.attrs["columns"]).split()
            self.replicas = int(file.attrs["replicas"])
            self.steps = file["step"][...].astype("int64")
            self.history = {name: file[name][...].T.copy() for name in self.columns}

    def __getitem__(self, name):
        """One column, [replica][row]."""
        try:
            return self.history[name]
        except KeyError:
            raise KeyError(f"{self.path}: there is no '{name}': there are {', '.join(self.columns)}") from None

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
        return pyerrors.Obs(list(self[name][:, skip:]), [f"{ensemble}|r{r}" for r in range(self.replicas)],
                            idl=[self.steps[skip:].tolist()] * self.replicas)
