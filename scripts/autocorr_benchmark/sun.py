# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""Two-dimensional SU(2) and SU(3) at the couplings of arXiv:2008.05456 and 2212.08469 and beyond: their points, and their methods with the
settings that are scanned."""
import plan
import u1


def points(group, entries):
    """Of (size, beta)."""
    return [plan.Point(size, beta, f"{group}-beta{beta:g}.h5", group=group) for size, beta in entries]


def scan_hmc(point, depth):
    grids = {
        "full": ((1, 3), (1, 4), (1.5, 4), (1.5, 6), (2, 6), (2, 8), (3, 9), (3, 12)),
        "thin": ((1, 4), (2, 6), (2, 8)),
        "tiny": ((1.5, 6),),
    }
    return [plan.trajectory(point, length, steps) for length, steps in grids[depth]]


def theory(group, title, betas, volume_beta, patience):
    """volume_beta: the coupling of the larger lattices."""
    return plan.Theory(
        title=title,
        group=group,
        methods=(
            plan.Method("hmc", "HMC", u1.action, scan_hmc, plan.hmc_updates),
            plan.Method("heatbath", "heatbath + overrelaxation", u1.action, u1.scan_heatbath, u1.heatbath_updates),
            plan.Method("flow", "flow + Metropolis", u1.action, lambda point, depth: [{"batch": 64}], plan.flow_updates,
                        has_model=True, precision="float"),
        ),
        betas=betas,
        beta_points=lambda chosen, size: points(group, [(size, beta) for beta in chosen]),
        volume_points=lambda most: points(group, [(size, volume_beta) for size in (16, 32, 64) if size <= most]),
        volumes=f"beta = {volume_beta}",
        patience=patience,
    )


SU2 = theory("su2", "Two-dimensional SU(2)", (1.8, 2.2, 2.7, 4), 2.7, 2)
SU3 = theory("su3", "Two-dimensional SU(3)", (4, 5, 6, 8, 12), 6, 4)
