# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""Two-dimensional U(1): its points, and its methods with the settings that are scanned."""
import plan

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


def beta_points(betas, size):
    return [plan.Point(size, beta, f"u1-beta{beta:g}.h5") for beta in betas]


def volume_points(_most):
    return [plan.Point(*entry) for entry in VOLUMES]


def action(point):
    return f'action = ( {{ kind = "wilson"; beta = {point.beta:.17g}; }} );'


def scan_hmc(point, depth):
    grids = {
        "full": ((1.5, 2), (1.5, 3), (2, 3), (2, 4), (3, 5), (3, 6), (4, 6), (4, 8), (6, 9), (6, 12)),
        "thin": ((2, 3), (2, 4), (4, 8)),
        "tiny": ((2, 4),),
    }
    return [plan.trajectory(point, length, steps) for length, steps in grids[depth]]


def scan_winding(point, depth):
    grids = {
        "full": (((1, 2), (2, 4), (3, 6)), (1, 2, 4, 8, 16)),
        "thin": (((1, 2), (2, 4)), (2, 8)),
        "tiny": (((1, 2),), (4,)),
    }
    trajectories, hits = grids[depth]
    return [dict(plan.trajectory(point, *one), hits=count) for one in trajectories for count in hits]


def scan_heatbath(_point, depth):
    return [{"overrelax": count} for count in {"full": (0, 1, 2, 3, 4, 6), "thin": (1, 3), "tiny": (1,)}[depth]]


def heatbath_updates(settings, _model):
    more = ', {{ kind = "overrelax"; count = {overrelax}; }}' if settings["overrelax"] else ""
    return ('{{ kind = "heatbath"; }}' + more).format(**settings)


def scan_fthmc(_point, depth):
    grids = {"full": ((1, 2), (1, 4), (2, 6)), "thin": ((1, 4),), "tiny": ((1, 4),)}
    return [{"length": float(length), "steps": steps} for length, steps in grids[depth]]


def fthmc_updates(settings, model):
    return ('{{ kind = "fthmc"; model = "{model}"; trajectory = {length:g}; steps = {steps}; integrator = "omf2"; }}'
            .format(model=model, **settings))


THEORY = plan.Theory(
    title="Two-dimensional U(1)",
    methods=(
        plan.Method("hmc", "HMC", action, scan_hmc, plan.hmc_updates, slow=True),
        plan.Method("heatbath", "heatbath + overrelaxation", action, scan_heatbath, heatbath_updates, slow=True),
        plan.Method("winding", "winding HMC", action, scan_winding, plan.with_instantons(plan.hmc_updates)),
        plan.Method("direct", "direct sampler", action, lambda point, depth: [{}], lambda s, model: '{ kind = "direct"; }'),
        plan.Method("flow", "flow + Metropolis", action, lambda point, depth: [{"batch": 64}], plan.flow_updates,
                    has_model=True, precision="float"),
        plan.Method("fthmc", "FTHMC", action, scan_fthmc, fthmc_updates, has_model=True),
    ),
    betas=BETAS,
    beta_points=beta_points,
    volume_points=volume_points,
    volumes=f"constant physics, beta / L^2 = {VOLUMES[0][1] / VOLUMES[0][0]**2:.4g}",
)
