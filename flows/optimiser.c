/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * optimiser.c: Adam (D. P. Kingma, J. Ba, arXiv:1412.6980) and schedules of the learning rate.
 */
#include "training.h"

#include <math.h>

const char *const flow_schedule_names[] = {"constant", "cosine", "step", NULL};

double flow_learning_rate(const flow_train_settings *settings, int64_t step)
{
    double rate = settings->learning_rate;
    if (step < settings->warm_up) rate *= (double)(step + 1) / (double)(settings->warm_up + 1);
    switch (settings->schedule) {
    case FLOW_COSINE: return rate * 0.5 * (1 + cos(M_PI * (double)step / (double)settings->steps));
    case FLOW_STEP_DECAY: return rate * pow(settings->decay_factor, (double)(step / settings->decay_steps));
    default: return rate;
    }
}

double flow_norm(const double *vector, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += vector[i] * vector[i];
    return sqrt(sum);
}

void flow_adam(double *parameters, double *moments, const double *gradient, int64_t n, int64_t t, double learning_rate)
{
    const double keep_first = 0.9, keep_second = 0.999, epsilon = 1e-8;
    double first_bias = 1 - pow(keep_first, (double)t), second_bias = 1 - pow(keep_second, (double)t);
    double *first = moments, *second = moments + n;
    for (int64_t i = 0; i < n; i++) {
        first[i] = keep_first * first[i] + (1 - keep_first) * gradient[i];
        second[i] = keep_second * second[i] + (1 - keep_second) * gradient[i] * gradient[i];
        parameters[i] -= learning_rate * (first[i] / first_bias) / (sqrt(second[i] / second_bias) + epsilon);
    }
}
