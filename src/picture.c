/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * picture.c: SVG by hand.
 */
#include "src/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT = 72, RIGHT = 12, TOP = 28, BOTTOM = 42, TICKS = 6, LINE = 15 };

static const char *const colours[PICTURE_COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

struct picture {
    lat_bytes svg;
    int panels;                 /* so far */
    double x, y, width, height; /* inside of the frame of the last one */
    double left, right, bottom, top;
};

picture *picture_create(double width, double height)
{
    picture *p = lat_alloc(1, sizeof *p);
    lat_bytes_print(&p->svg,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%g\" height=\"%g\" "
                    "viewBox=\"0 0 %g %g\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n"
                    "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                    width, height, width, height);
    return p;
}

/* Bytes of the character that text begins with; 0 if it is no UTF-8. */
static int character(const char *text)
{
    static const unsigned char mask[] = {0, 0x80, 0xE0, 0xF0, 0xF8}, lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (int length = 1; length <= 4; length++) {
        int i = 1;
        if (((unsigned char)text[0] & mask[length]) != lead[length]) continue;
        while (i < length && ((unsigned char)text[i] & 0xC0) == 0x80) i++;
        return i == length ? length : 0;
    }
    return 0;
}

/* With what XML needs instead of some characters. */
static void put_text(picture *p, const char *text)
{
    while (*text) {
        int length = character(text);
        if (*text == '<' || *text == '>' || *text == '&')
            lat_bytes_print(&p->svg, "&#%d;", *text);
        else if (length == 0 || (unsigned char)*text < ' ')
            lat_bytes_add(&p->svg, "?", 1);
        else
            lat_bytes_add(&p->svg, text, length);
        text += length ? length : 1;
    }
}

static void write_text(picture *p, double x, double y, const char *attributes, const char *text)
{
    lat_bytes_print(&p->svg, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
    put_text(p, text);
    lat_bytes_print(&p->svg, "</text>\n");
}

void picture_title(picture *p, double x, double y, const char *text)
{
    write_text(p, x, y, "font-weight=\"bold\" font-size=\"14\"", text);
}

/* ------------------------------------------------------------------------------------------------------------- axes */

/* 1, 2 or 5 times a power of ten, so that there are at most TICKS of them. */
static double tick_step(double low, double high)
{
    double least = (high - low) / TICKS, power = pow(10, floor(log10(least)));
    static const double factors[] = {1, 2, 5, 10};
    int i = 0;
    while (i < 3 && factors[i] * power < least * (1 - 1e-9)) i++;
    return factors[i] * power;
}

static char *tick_label(double value, double step)
{
    double size = fabs(value);
    if (size < 1e-6 * step) return lat_text("0");
    int digits = (int)fmax(0, ceil(log10(size / step) - 1e-9));
    if (size >= 1e6 || step < 1e-5) return lat_text("%.*e", digits < 16 ? digits : 16, value);
    int decimals = (int)fmax(0, -floor(log10(step) + 1e-9));
    return lat_text("%.*f", decimals, value);
}

static double across(const picture *p, double x) { return p->x + (x - p->left) / (p->right - p->left) * p->width; }

static double up(const picture *p, double y)
{
    return p->y + p->height - (y - p->bottom) / (p->top - p->bottom) * p->height;
}

/* An interval that can be divided by its length. */
static picture_axis with_room(picture_axis axis)
{
    if (!isfinite(axis.low) || !isfinite(axis.high)) axis.low = axis.high = 0;
    double size = fmax(fabs(axis.low), fabs(axis.high)), room = size > 0 ? 0.05 * size : 1;
    if (axis.high - axis.low > 1e-12 * size) return axis;
    axis.low -= room;
    axis.high += room;
    return axis;
}

static void draw_ticks(picture *p, bool horizontal, picture_axis axis)
{
    double step = tick_step(axis.low, axis.high);
    for (double k = ceil(axis.low / step - 1e-9); k * step <= axis.high + 1e-9 * step; k++) {
        char *label = tick_label(k * step, step);
        double x = horizontal ? across(p, k * step) : p->x, y = horizontal ? p->y + p->height : up(p, k * step);
        lat_bytes_print(&p->svg, "<path d=\"M%.1f %.1f%c%.1f\" stroke=\"#e4e4e4\"/>\n", x, y, horizontal ? 'v' : 'h',
                        horizontal ? -p->height : p->width);
        if (horizontal)
            write_text(p, x, y + 16, "text-anchor=\"middle\"", label);
        else
            write_text(p, x - 6, y + 4, "text-anchor=\"end\"", label);
        free(label);
    }
}

void picture_panel(picture *p, double x, double y, double width, double height, const char *title,
                   picture_axis across_axis, picture_axis up_axis)
{
    char attributes[120];
    across_axis = with_room(across_axis);
    up_axis = with_room(up_axis);
    p->x = x + LEFT;
    p->y = y + TOP;
    p->width = width - LEFT - RIGHT;
    p->height = height - TOP - BOTTOM;
    p->left = across_axis.low;
    p->right = across_axis.high;
    p->bottom = up_axis.low;
    p->top = up_axis.high;
    p->panels++;
    draw_ticks(p, true, across_axis);
    draw_ticks(p, false, up_axis);
    const char *frame = "x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"";
    lat_bytes_print(&p->svg, "<clipPath id=\"panel%d\"><rect ", p->panels);
    lat_bytes_print(&p->svg, frame, p->x, p->y, p->width, p->height);
    lat_bytes_print(&p->svg, "/></clipPath>\n<rect ");
    lat_bytes_print(&p->svg, frame, p->x, p->y, p->width, p->height);
    lat_bytes_print(&p->svg, " fill=\"none\" stroke=\"#444\"/>\n");
    write_text(p, p->x, p->y - 8, "fill=\"#222\"", title);
    write_text(p, p->x + p->width / 2, p->y + p->height + 34, "text-anchor=\"middle\"", across_axis.label);
    double middle = p->y + p->height / 2;
    snprintf(attributes, sizeof attributes, "text-anchor=\"middle\" transform=\"rotate(-90 %.1f %.1f)\"", x + 12,
             middle);
    write_text(p, x + 12, middle, attributes, up_axis.label);
}

/* --------------------------------------------------------------------------------------------------------- contents */

static const char *colour_of(int colour) { return colours[colour % PICTURE_COLOURS]; }

/* Coordinates so far outside that some viewers cannot draw them are brought nearer; clipping hides the difference. */
static double bounded(double pixel) { return fmax(-1e5, fmin(1e5, pixel)); }

static void put_point(picture *p, char command, double x, double y)
{
    lat_bytes_print(&p->svg, "%c%.1f %.1f", command, bounded(across(p, x)), bounded(up(p, y)));
}

void picture_line(picture *p, int colour, int64_t count, const double *x, const double *y)
{
    bool drawn = false;
    lat_bytes_print(&p->svg, "<path clip-path=\"url(#panel%d)\" fill=\"none\" stroke=\"%s\" d=\"M0 0", p->panels,
                    colour_of(colour));
    for (int64_t i = 0; i < count; i++) {
        bool good = isfinite(x[i]) && isfinite(y[i]);
        if (good) put_point(p, drawn ? 'L' : 'M', x[i], y[i]);
        drawn = good;
    }
    lat_bytes_print(&p->svg, "\"/>\n");
}

void picture_band(picture *p, int colour, int64_t count, const double *x, const double *low, const double *high)
{
    lat_bytes_print(&p->svg, "<path clip-path=\"url(#panel%d)\" fill=\"%s\" fill-opacity=\"0.25\" d=\"M0 0", p->panels,
                    colour_of(colour));
    for (int64_t i = 0; i < count; i++) put_point(p, i ? 'L' : 'M', x[i], low[i]);
    for (int64_t i = count - 1; i >= 0; i--) put_point(p, 'L', x[i], high[i]);
    lat_bytes_print(&p->svg, "Z\"/>\n");
}

void picture_points(picture *p, int colour, int64_t count, const double *x, const double *y, const double *error)
{
    lat_bytes_print(&p->svg, "<g clip-path=\"url(#panel%d)\" stroke=\"%s\" fill=\"%s\">\n", p->panels,
                    colour_of(colour), colour_of(colour));
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        double bar = isfinite(error[i]) ? error[i] : 0;
        lat_bytes_print(&p->svg, "<path d=\"");
        put_point(p, 'M', x[i], y[i] - bar);
        put_point(p, 'L', x[i], y[i] + bar);
        lat_bytes_print(&p->svg, "\"/><circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\" stroke=\"none\"/>\n",
                        bounded(across(p, x[i])), bounded(up(p, y[i])));
    }
    lat_bytes_print(&p->svg, "</g>\n");
}

void picture_bars(picture *p, int colour, double width, int64_t count, const double *x, const double *y)
{
    double pixels = width / (p->right - p->left) * p->width;
    lat_bytes_print(&p->svg, "<g clip-path=\"url(#panel%d)\" fill=\"%s\" fill-opacity=\"0.35\">\n", p->panels,
                    colour_of(colour));
    for (int64_t i = 0; i < count; i++)
        lat_bytes_print(&p->svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                        across(p, x[i]) - pixels / 2, up(p, y[i]), pixels, fmax(0, up(p, 0) - up(p, y[i])));
    lat_bytes_print(&p->svg, "</g>\n");
}

void picture_rule(picture *p, double x, double y)
{
    bool upright = !isnan(x);
    lat_bytes_print(&p->svg, "<path clip-path=\"url(#panel%d)\" stroke=\"#444\" stroke-dasharray=\"5 4\" d=\"",
                    p->panels);
    put_point(p, 'M', upright ? x : p->left, upright ? p->bottom : y);
    put_point(p, 'L', upright ? x : p->right, upright ? p->top : y);
    lat_bytes_print(&p->svg, "\"/>\n");
}

void picture_note(picture *p, int line, const char *text)
{
    write_text(p, p->x + p->width - 8, p->y + 17 + LINE * line, "text-anchor=\"end\" fill=\"#222\"", text);
}

lat_status picture_write(picture *p, const char *path, lat_error *error)
{
    lat_bytes_print(&p->svg, "</svg>\n");
    lat_file_write(MPI_COMM_NULL, path, p->svg.data, p->svg.size, error);
    free(p->svg.data);
    free(p);
    return error->status;
}
