/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * picture.h: plots as SVG 1.1: panels with axes, and what is drawn in them.  Local.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include "lattice/lattice.h"

typedef struct picture picture;

/* An axis from low to high; where that is no interval (a single value, nothing finite) it gets some room. */
typedef struct {
    const char *label;
    double low, high;
} picture_axis;

enum { PICTURE_COLOURS = 6 }; /* numbers of colours go round; told apart by the colour-blind too (Okabe and Ito) */

/* In pixels. */
picture *picture_create(double width, double height);
/* A text in bold letters, left-aligned. */
void picture_title(picture *p, double x, double y, const char *text);
/* A frame with ticks and labels in [x, x + width] x [y, y + height], room for the labels included.  What follows is drawn in
 * it, in the units of its axes, and cut off at its edges; points that are not finite are left out. */
void picture_panel(picture *p, double x, double y, double width, double height, const char *title, picture_axis across,
                   picture_axis up);
void picture_line(picture *p, int colour, int64_t count, const double *x, const double *y);
/* The area between two lines, pale. */
void picture_band(picture *p, int colour, int64_t count, const double *x, const double *low, const double *high);
/* Dots with bars of +- error. */
void picture_points(picture *p, int colour, int64_t count, const double *x, const double *y, const double *error);
/* Bars from 0 that are `width` wide. */
void picture_bars(picture *p, int colour, double width, int64_t count, const double *x, const double *y);
/* A dashed line across the panel; NAN for x or y: the other one is constant. */
void picture_rule(picture *p, double x, double y);
/* In the right upper corner of the panel, line 0, 1, ... */
void picture_note(picture *p, int line, const char *text);

/* Writes the file, if nothing has failed, and releases the picture in any case. */
lat_status picture_write(picture *p, const char *path, lat_error *error);

#endif
