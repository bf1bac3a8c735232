# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""Model files."""
import hashlib
import pathlib

from .files import FormatError, open_verified, text_of
from .settings import parse_settings

_HISTORY = ("step", "loss", "ess", "gradient_norm", "learning_rate", "core_seconds")


class Model:
    """A trained map.

    path                   the file
    group, dimension       what it is a map of
    flow, action           its layers and the action it was trained for, as dictionaries
    parameters, sha256     all parameters, and the hash that was verified
    training_core_seconds  cost of the training
    config                 configuration of the training; empty if it is not kept
    history                {"step", "loss", "ess", "gradient_norm", "learning_rate", "core_seconds"}: arrays, one entry for
                           each evaluation; empty if it is not kept
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        with open_verified(self.path, "model") as file:
            text = {key: text_of(file.attrs.get(key, "")) for key in ("group", "flow", "action", "config", "sha256")}
            self.group, self.sha256 = text["group"], text["sha256"]
            self.flow, self.action, self.config = (parse_settings(text[key], f"{path}: {key}")
                                                   for key in ("flow", "action", "config"))
            self.dimension = int(file.attrs["dimension"])
            self.training_core_seconds = float(file.attrs["training_core_seconds"])
            self.parameters = file["parameters"][...]
            rows = file["history"][...] if "history" in file else None
        if hashlib.sha256(self.parameters.astype("<f8").tobytes()).hexdigest() != self.sha256:
            raise FormatError(f"{path}: its parameters have another SHA-256 than it says: take another copy")
        self.history = {} if rows is None else {name: rows[:, i].copy() for i, name in enumerate(_HISTORY)}

    def __repr__(self):
        return f"Model('{self.path}': {self.group} in {self.dimension} dimensions, {len(self.parameters)} parameters)"
