/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * natural_gradient.h: the step that makes the variance of log weights least.
 */
#ifndef FLOWS_NATURAL_GRADIENT_H
#define FLOWS_NATURAL_GRADIENT_H

#include "lattice/lattice.h"

/* The matrix of so many parameters is 128 MiB. */
enum { FLOW_NATURAL_MOST = 4096 };

/* A batch of samples U, of each the score d log q(U) / d theta and its loss, S + log q. */
typedef struct {
    MPI_Comm comm, group_comm;    /* all ranks; those that hold parts of the same samples */
    int64_t rows, samples, count; /* samples of this group; of all groups; parameters, at most FLOW_NATURAL_MOST */
    double *row;                  /* [rows][count]: scores; the parts of the ranks of a group add up.  Changed */
    const double *deviation;      /* [rows]: of the loss from its mean */
    double damping;
} flow_scores;

/* step[count] = (C + damping diag C)^-1 c, C the covariance of the scores and c theirs with the deviations: theta - step makes the
 * variance of the linearised loss least, as in the method of Gauss and Newton, and is a step of natural gradient, C being Fisher's
 * matrix (S. Amari, Neural Computation 10 (1998) 251).  Parameters that no score depends on stay.  Returns the standard deviation of the
 * change of log q, sqrt(step^T C step); NaN, and no step, if something is not finite or the matrix is not positive.  Collective; the
 * same bits on any number of ranks: scores and deviations are rounded so that all sums of their products are exact. */
double flow_natural_gradient(flow_scores *scores, double *step);

#endif
