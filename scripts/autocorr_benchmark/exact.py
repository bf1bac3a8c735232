# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""Exact results in two dimensions on a torus of V plaquettes, and the test of a distribution of charges of U(1).

A plaquette angle p of U(1) has the weight exp(beta cos p); the V angles in (-pi, pi] sum up to 2 pi Q.  So P(Q) is proportional
to the density of that sum, int dnu phi(nu)^V cos(2 pi Q nu), phi the characteristic function of one plaquette."""
import math

import numpy as np


def log_z(group, beta, volume):
    """ln of the integral of exp(-S) over Haar measure."""
    return {"u1": log_z_u1, "su2": log_z_su2, "su3": log_z_su3}[group](beta, volume)


def log_z_u1(beta, volume):
    """The sum over n of (exp(-beta) I_n(beta))^V."""
    points = 4096
    angle = 2 * np.pi * np.arange(points) / points
    c = np.fft.rfft(np.exp(beta * (np.cos(angle) - 1))).real / points
    ratio = np.maximum(c / c[0], 0) ** volume
    return volume * np.log(c[0]) + np.log(ratio[0] + 2 * ratio[1:].sum())


def log_sum(coefficient, dimension, volume):
    """ln of the sum over representations of (c / d)^V, c the coefficients of the weight of a plaquette in characters
    (A. A. Migdal, Sov. Phys. JETP 42 (1975) 413)."""
    return volume * np.log(coefficient[0]) + np.log((np.maximum(coefficient / dimension / coefficient[0], 0) ** volume).sum())


def log_z_su2(beta, volume):
    """Characters times Weyl's denominator are differences of exponentials, so that c is a Fourier coefficient of the weight times it."""
    points, most = 4096, 400
    angle = 2 * np.pi * np.arange(points) / points
    c = np.fft.fft(np.exp(beta * (np.cos(angle) - 1)) * 2j * np.sin(angle)).real / points
    d = np.arange(1, most)
    return log_sum(c[d], d, volume)


def log_z_su3(beta, volume):
    points, most = 256, 40
    a, b = np.meshgrid(*2 * [2 * np.pi * np.arange(points) / points], indexing="ij")
    x, y, z = np.exp(1j * a), np.exp(1j * b), np.exp(-1j * (a + b))
    weight = np.exp(beta * ((x + y + z).real / 3 - 1)) * (x - y) * (x - z) * (y - z)
    c = np.fft.fft2(weight).real / points**2
    p, q = (part.ravel() for part in np.meshgrid(np.arange(most), np.arange(most), indexing="ij"))
    return log_sum(c[p + q + 2, q + 1], (p + 1) * (q + 1) * (p + q + 2) / 2, volume)


def charge_distribution(beta, volume, most=60):
    """P(Q) for Q = -most ... most."""
    x, w = np.polynomial.legendre.leggauss(400)
    w = w * np.exp(beta * (np.cos(np.pi * x) - 1))
    nu = np.arange(-2560, 2561) / 128
    phi = (np.cos(np.outer(nu, np.pi * x)) @ w) / w.sum()
    charge = np.arange(-most, most + 1)
    p = np.cos(2 * np.pi * np.outer(charge, nu)) @ phi**volume
    p = np.maximum(p, 0)
    return charge, p / p.sum()


def incomplete_beta(a, b, x):
    """Regularised, by the continued fraction of DLMF 8.17.22, from its end."""
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    if x <= 0:
        return 0.0
    value = 1.0
    for m in range(200, 0, -1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m - 1) * (a + b + m - 1) * x / ((a + 2 * m - 2) * (a + 2 * m - 1))
        value = 1 + odd / (1 + even / value)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * np.log(x) + b * np.log1p(-x)
    return float(np.exp(front) / (a * value))


def charge_test(series, beta, volume, tau):
    """Probability that the charges [replica][row] deviate from P(Q) as much as they do or more: chi^2 of the
    frequencies with their covariance from blocks much longer than tau, which is in rows (Hotelling's T^2).  None: too
    few rows."""
    replicas, rows = series.shape
    blocks = min(int(rows // np.ceil(20 * tau)), 400 // replicas + 1)
    charge, p = charge_distribution(beta, volume)
    kept = charge[p * series.size / (2 * max(tau, 0.5)) >= 50]
    if kept.size < 2 or blocks * replicas < 4 * (kept.size + 2):
        return None
    # the first and the last bin take the tails; the one in the middle follows from the others
    bins = np.setdiff1d(kept, [0])
    clipped = np.clip(np.rint(series[:, rows % blocks:]), kept[0], kept[-1]).reshape(replicas * blocks, -1)
    expected = np.array([p[np.clip(charge, kept[0], kept[-1]) == q].sum() for q in bins])
    frequency = np.array([(clipped == q).mean(axis=1) for q in bins])
    n, k = frequency.shape[1], len(bins)
    deviation = frequency.mean(axis=1) - expected
    covariance = np.atleast_2d(np.cov(frequency)) / n
    if np.linalg.matrix_rank(covariance) < k:
        return None
    t_squared = deviation @ np.linalg.solve(covariance, deviation)
    f = t_squared * (n - k) / (k * (n - 1))
    return incomplete_beta((n - k) / 2, k / 2, (n - k) / (n - k + k * f))
