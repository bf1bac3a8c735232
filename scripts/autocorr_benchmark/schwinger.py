# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""The Schwinger model with two flavours at the point of arXiv:2202.11712: its lattices, and its methods with the settings that
are scanned."""
import plan

BETA, KAPPA = 2, 0.276
MODEL = "schwinger-nf2-beta2-kappa0.276.h5"

# 110000 independent configurations of the pure gauge theory, reweighted with the exact determinant; by extent
REFERENCE = {8: {"plaquette": (0.75610, 0.00033), "charge_squared": (0.2464, 0.0029)}}


def volume_points(most):
    return [plan.Point(size, BETA, MODEL, KAPPA) for size in (8, 16) if size <= most]


def action(point, term):
    return (f'operators = ( {{ name = "quark"; kind = "wilson"; kappa = {point.kappa:.17g}; }} );\n'
            f'action = ( {{ kind = "wilson"; beta = {point.beta:.17g}; }}, {{ operator = "quark"; {term} }} );')


def determinant(point):
    return action(point, 'kind = "determinant"; flavours = 2;')


def pseudofermions(point):
    """The mass parts the force in two: the solves of the light factor are on the outer time scale."""
    return action(point, 'kind = "two_flavours"; masses = [0.0, 0.3]; levels = [1, 0]; level = 1;')


def scan_hmc(point, depth):
    grids = {"full": ((1, 4), (1.4, 4), (1.4, 6), (2, 6), (2, 9), (3, 9)), "thin": ((1.4, 4), (1.4, 6), (2, 8)), "tiny": ((1.4, 6),)}
    return [plan.trajectory(point, length, steps) for length, steps in grids[depth]]


def scan_winding(point, depth):
    grids = {"full": (((1, 4), (1.4, 6)), (1, 2, 4, 8)), "thin": (((1.4, 6),), (1, 4)), "tiny": (((1.4, 6),), (2,))}
    trajectories, hits = grids[depth]
    return [dict(plan.trajectory(point, *one), hits=count) for one in trajectories for count in hits]


def pseudofermion_updates(settings, _model):
    return ('{{ kind = "hmc"; trajectory = {length:g}; randomise = 0.3; steps = [{steps}, 1, 2]; integrator = "omf2"; }}'
            .format(**settings))


def scan_flow_winding(_point, depth):
    return [{"batch": 64, "hits": hits} for hits in {"full": (1, 2, 4), "thin": (1, 4), "tiny": (1,)}[depth]]


THEORY = plan.Theory(
    title="Schwinger model, two flavours",
    methods=(
        plan.Method("hmc", "determinant HMC", determinant, scan_hmc, plan.hmc_updates),
        plan.Method("winding", "determinant HMC + instantons", determinant, scan_winding, plan.with_instantons(plan.hmc_updates)),
        plan.Method("pseudofermions", "pseudofermion HMC", pseudofermions, scan_hmc, pseudofermion_updates),
        plan.Method("flow", "flow + Metropolis", determinant, lambda point, depth: [{"batch": 64}], plan.flow_updates,
                    has_model=True, precision="float"),
        plan.Method("flow_winding", "flow + Metropolis + instantons", determinant, scan_flow_winding,
                    plan.with_instantons(plan.flow_updates), has_model=True, precision="float"),
    ),
    volume_points=volume_points,
    volumes=f"beta = {BETA}, kappa = {KAPPA}",
    reference=lambda point: REFERENCE.get(point.size, {}),
    patience=10,
)
