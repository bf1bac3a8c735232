/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * analysis_plot.c: pictures of analyses.  Each column has a row of panels: its history, and its autocorrelation function with
 * the window of the Gamma method; the errors of rho(t) are those of M. Luescher, hep-lat/0409106, eq. E.11, with as many lags
 * beyond t as the window has.
 */
#include "src/analysis.h"
#include "src/picture.h"
#include "src/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 960,
    ROW = 210,         /* height of a row of panels */
    HEADING = 34,      /* and of the name of a data set */
    SPLIT = 560,       /* width of a history */
    MOST_ROWS = 60,    /* on a page */
    MOST_POINTS = 800, /* of a history: about a pixel each */
    MOST_LAGS = 60,
    NAME = 70, /* bytes of the name of a data set */
};

static void extend(picture_axis *axis, double value)
{
    if (!isfinite(value)) return;
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
}

/* Some room above and below the curves. */
static void add_margin(picture_axis *axis)
{
    double margin = 0.06 * (axis->high - axis->low);
    axis->low -= margin;
    axis->high += margin;
}

/* --------------------------------------------------------------------------------------------------------- history */

/* Least, most and mean of each of `points` stretches of a series. */
typedef struct {
    int64_t points;
    double *x, *low, *high, *mean;
} envelope;

static envelope envelope_of(const double *series, int64_t rows, double first, double every)
{
    envelope e = {.points = rows < MOST_POINTS ? rows : MOST_POINTS};
    e.x = lat_alloc(4 * e.points, sizeof *e.x);
    e.low = e.x + e.points;
    e.high = e.low + e.points;
    e.mean = e.high + e.points;
    for (int64_t i = 0; i < e.points; i++) {
        int64_t begin = i * rows / e.points, end = (i + 1) * rows / e.points;
        double sum = 0;
        e.low[i] = e.high[i] = series[begin];
        for (int64_t k = begin; k < end; k++) {
            e.low[i] = fmin(e.low[i], series[k]);
            e.high[i] = fmax(e.high[i], series[k]);
            sum += series[k] / (double)(end - begin);
        }
        e.x[i] = first + every * 0.5 * (double)(begin + end - 1);
        e.mean[i] = sum;
    }
    return e;
}

static int64_t longest(const dataset *set)
{
    int64_t most = 0;
    for (int r = 0; r < set->replicas; r++) most = set->rows[r] > most ? set->rows[r] : most;
    return most;
}

/* All replicas on top of each other; the mean of all is dashed.  Runs count steps, text files rows from 1. */
static void draw_history(picture *p, double y, const dataset *set, int column, double width, double mean)
{
    const double *series = set->series[column];
    double first = set->first > 0 ? (double)set->first : 1, every = (double)set->every;
    picture_axis across = {set->first > 0 ? "step" : "row", first, first + every * (double)(longest(set) - 1)};
    picture_axis up = {"", INFINITY, -INFINITY};
    for (int64_t i = 0; i < set->entries; i++) extend(&up, series[i]);
    add_margin(&up);
    picture_panel(p, 0, y, width, ROW, set->column[column], across, up);
    for (int r = 0; r < set->replicas; series += set->rows[r++]) {
        envelope e = envelope_of(series, set->rows[r], first, every);
        if (set->rows[r] > e.points) picture_band(p, r, e.points, e.x, e.low, e.high);
        picture_line(p, r, e.points, e.x, e.mean);
        free(e.x);
    }
    picture_rule(p, NAN, mean);
}

/* -------------------------------------------------------------------------------------------------- autocorrelation */

/* Variance of rho(t); rho(-t) = rho(t), and beyond `last` rho is 0. */
static double rho_error(const double *rho, int64_t last, int64_t t, int64_t window, int64_t entries)
{
    double sum = 0;
    for (int64_t k = 1; k <= t + window; k++) {
        double ahead = k + t <= last ? rho[k + t] : 0, behind = llabs(k - t) <= last ? rho[llabs(k - t)] : 0;
        double term = ahead + behind - 2 * (k <= last ? rho[k] : 0) * rho[t];
        sum += term * term;
    }
    return sqrt(sum / (double)entries);
}

static void draw_points(picture *p, const double *rho, int64_t last, int64_t shown, const mc_estimate *e)
{
    double x[MOST_LAGS + 1], y[MOST_LAGS + 1], error[MOST_LAGS + 1];
    int64_t stride = shown / MOST_LAGS + (shown % MOST_LAGS > 0), count = 0;
    for (int64_t t = 0; t <= shown && count <= MOST_LAGS; t += stride, count++) {
        x[count] = (double)t;
        y[count] = rho[t];
        error[count] = t ? rho_error(rho, last, t, e->window, e->n) : 0;
    }
    picture_points(p, 0, count, x, y, error);
}

static void note_tau(picture *p, const mc_estimate *e)
{
    char *tau = table_format(e->tau_int, e->tau_int_error), *text = lat_text("tau_int = %s", tau);
    char *window = lat_text("window %lld", (long long)e->window);
    picture_note(p, 0, text);
    picture_note(p, 1, window);
    if (mc_too_short(e)) picture_note(p, 2, "too few entries");
    free(window);
    free(text);
    free(tau);
}

static void draw_autocorrelation(picture *p, double y, const dataset *set, int column, const mc_estimate *e)
{
    int64_t most = longest(set) - 1, shown = 2 * e->window + 10 < most ? 2 * e->window + 10 : most;
    int64_t last = 3 * shown + e->window < most ? 3 * shown + e->window : most;
    double *rho = lat_alloc(last + 1, sizeof *rho);
    picture_axis across = {"lag t, in rows", 0, (double)shown}, up = {"rho(t)", 0, 1};
    mc_autocorrelation_replicas(set->series[column], set->replicas, set->rows, last, rho);
    for (int64_t t = 0; t <= shown; t++) extend(&up, rho[t]);
    add_margin(&up);
    picture_panel(p, SPLIT, y, WIDTH - SPLIT, ROW, "autocorrelation", across, up);
    picture_rule(p, NAN, 0);
    if (isnan(e->tau_int)) {
        picture_note(p, 0, "not defined: it never changes");
    } else {
        picture_rule(p, (double)e->window, NAN);
        draw_points(p, rho, last, shown, e);
        note_tau(p, e);
    }
    free(rho);
}

/* ---------------------------------------------------------------------------------------------------------- charge */

static void draw_charge(picture *p, double y, const distribution *charge)
{
    double *x = lat_alloc(3 * charge->count, sizeof *x), *share = x + charge->count, *error = share + charge->count;
    picture_axis across = {"Q", (double)charge->least - 0.8, (double)charge->least + charge->count - 0.2},
                 up = {"P(Q)", 0, 0};
    for (int k = 0; k < charge->count; k++) {
        x[k] = (double)charge->least + k;
        share[k] = charge->share[k].mean;
        error[k] = charge->share[k].error;
        extend(&up, share[k] + error[k]);
    }
    up.high *= 1.06;
    picture_panel(p, 0, y, SPLIT, ROW, "distribution of the charge", across, up);
    picture_bars(p, 0, 0.8, charge->count, x, share);
    picture_points(p, 0, charge->count, x, share, error);
    free(x);
}

/* ----------------------------------------------------------------------------------------------------------- pages */

static int rows_of(const analysis *a)
{
    int rows = a->charge.count > 0;
    for (int i = 0; i < a->set->columns; i++) rows += a->chosen[i] && !(a->set->training && i == 0);
    return rows;
}

/* A curve of a training against its steps. */
static void draw_curve(picture *p, double y, const dataset *set, int column)
{
    const double *step = set->series[0], *value = set->series[column];
    picture_axis across = {"step", INFINITY, -INFINITY}, up = {"", INFINITY, -INFINITY};
    for (int64_t i = 0; i < set->entries; i++) {
        extend(&across, step[i]);
        extend(&up, value[i]);
    }
    add_margin(&up);
    picture_panel(p, 0, y, WIDTH, ROW, set->column[column], across, up);
    picture_line(p, 0, set->entries, step, value);
    double *none = lat_alloc(set->entries, sizeof *none);
    if (set->entries <= MOST_POINTS / 8) picture_points(p, 0, set->entries, step, value, none);
    free(none);
}

/* Returns where the next one begins. */
static double draw(picture *p, double y, const analysis *a)
{
    const dataset *set = a->set;
    const char *more = strlen(set->name) > NAME ? "..." : "";
    char *extent = analysis_extent(set);
    char *title = lat_text("%.*s%s: %s%s", (int)NAME, set->name, more, set->training ? "training, " : "", extent);
    picture_title(p, 14, y + 22, title);
    y += HEADING;
    for (int i = 0; i < set->columns; i++) {
        if (!a->chosen[i] || (set->training && i == 0)) continue;
        if (set->training) {
            draw_curve(p, y, set, i);
        } else {
            draw_history(p, y, set, i, SPLIT, a->estimate[i].mean);
            draw_autocorrelation(p, y, set, i, &a->estimate[i]);
        }
        y += ROW;
    }
    if (a->charge.count > 0) draw_charge(p, y, &a->charge);
    free(title);
    free(extent);
    return y + (a->charge.count > 0 ? ROW : 0);
}

void analysis_plot(const char *path, const analysis *a, int count, lat_error *error)
{
    int rows = 0;
    double y = 0;
    for (int i = 0; i < count; i++) rows += rows_of(&a[i]);
    if (rows > MOST_ROWS) {
        lat_fail(error, LAT_CONFIG, "%.200s: would have %d rows of panels, the most is %d: choose with --column", path,
                 rows, (int)MOST_ROWS);
        return;
    }
    picture *p = picture_create(WIDTH, (double)HEADING * count + (double)ROW * rows);
    for (int i = 0; i < count; i++) y = draw(p, y, &a[i]);
    picture_write(p, path, error);
}
