# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the Python package: prints a line 'good NAME' or 'bad NAME' for each."""
import json
import sys

import flowhmc
import numpy

run, (results, others) = flowhmc.Run(sys.argv[1]), json.load(open(sys.argv[2], encoding="utf-8"))["results"]
model = flowhmc.Model(sys.argv[3])
observables, skip = results["observables"], results["skip"]


def check(condition, name):
    print("good" if condition else "bad", name)


check(run.columns[:2] == ["plaquette", "charge"] and run.replicas == 3 and "3 x 200 rows" in repr(run), "columns and replicas")
check(run.steps.tolist() == list(range(run.steps[0], run.steps[0] + 400, 2)), "steps")
check(run["charge"].shape == (3, 200) and run.history["charge"] is run["charge"], "shape of a history")
check(all(abs(run[name][:, skip:].mean() - value["mean"]) < 1e-12 for name, value in observables.items()),
      "means are those of flowstat")
charge = run["flow_charge_0.2"]
check(charge.shape == (1, 80) and run.steps_of("flow_charge_0.2").tolist() == list(range(25, 421, 5)) and run.series["gradient_flow"][0] == 1 and
      others["replicas"] == 1 and others["every"] == 5 and abs(charge[:, 4:].mean() - others["observables"]["flow_charge_0.2"]["mean"]) < 1e-12,
      "what has steps of its own")
check(list(run.trajectories) == ["dh_1", "accepted_1", "force_level0_1"] and run.trajectory_steps.tolist() == list(range(1, 421)) and
      all(column.shape == (3, 420) for column in run.trajectories.values()) and run.trajectories["force_level0_1"].min() > 0, "trajectories")
text = numpy.loadtxt(sys.argv[1] + "/trajectories.txt", skiprows=1)
check(numpy.allclose(text[:, 1::3][:, :3].T, run.trajectories["dh_1"], rtol=1e-8, atol=0), "are those of the text")
check(run.config["chain"]["replicas"] == 3 and run.config["lattice"]["size"] == [4, 4] and
      run.config["action"] == [{"kind": "wilson", "beta": 1.0}], "configuration")
check(run.summary["observables"]["plaquette"]["n"] == 600, "summary")
check(model.group == "u1" and model.dimension == 2 and model.action["action"][0]["beta"] == 6.0, "model")
check(model.history["ess"].shape == model.history["loss"].shape and 0 < model.history["ess"][-1] <= 1, "history of a training")
text = 'a = 0x1F; b : -2.5e3 // c\n/* d */ c = "x\\"y" "z"; d = (1, {e = true;}, [false]); f = { }; g = 3L, h = 1e3'
check(flowhmc.parse_settings(text) == {"a": 31, "b": -2500.0, "c": 'x"yz', "d": [1, {"e": True}, [False]], "f": {}, "g": 3,
                                       "h": 1000.0}, "settings")
for bad in ("a = ;", "a = 1; a = 2;", "a", "a = {", "a = [1 2]", "= 3", "a = @"):
    try:
        flowhmc.parse_settings(bad)
        check(False, f"settings '{bad}' are refused")
    except ValueError as error:
        check("settings:1: " in str(error), f"settings '{bad}' are refused")
try:
    flowhmc.Model(sys.argv[1] + "/history.h5")
    check(False, "another kind of file is refused")
except flowhmc.FormatError:
    check(True, "another kind of file is refused")
try:
    import pyerrors
except ImportError:
    pyerrors = None
if pyerrors:
    obs = run.obs("plaquette", skip=skip)
    obs.gamma_method(S=1.5)
    mine = observables["plaquette"]
    check(abs(obs.value - mine["mean"]) < 1e-12 and abs(obs.dvalue / mine["error"] - 1) < 0.2 and len(obs.names) == 3,
          "Obs of pyerrors")
else:
    try:
        run.obs("plaquette")
        check(False, "what is missing without pyerrors is said")
    except ImportError as error:
        check("pyerrors" in str(error), "what is missing without pyerrors is said")
