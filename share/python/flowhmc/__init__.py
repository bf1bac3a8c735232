# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and models of flowhmc, read with h5py and numpy: doc/python.md.

    run = flowhmc.Run("run-beta6")
    run["charge"]                           # array [replica][row]
    model = flowhmc.Model("u1-beta6.h5")
    model.history["ess"]
"""
from .files import FormatError
from .model import Model
from .run import Run
from .settings import parse_settings

__all__ = ["FormatError", "Model", "Run", "parse_settings"]
