/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * provenance.c: pairs of key and value that a configuration carries, and the report that holds them.
 */
#include "lattice/io/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lat_bytes_add_pair(lat_bytes *bytes, const char *key, const char *value, int64_t value_size)
{
    enum { LONGEST = 1 << 20 };
    if (value_size > LONGEST || memchr(value, 0, (size_t)value_size)) return;
    lat_bytes_add(bytes, key, (int64_t)strlen(key) + 1);
    lat_bytes_add(bytes, value, value_size);
    lat_bytes_add(bytes, "", 1);
}

void lat_report_pairs(lat_config_report *report, lat_bytes *pairs)
{
    int count = 0;
    for (int64_t i = 0; i < pairs->size; i++) count += !pairs->data[i];
    free(report->memory);
    free(report->provenance);
    report->memory = pairs->data;
    report->provenance_count = count / 2;
    report->provenance = lat_alloc(count / 2, sizeof *report->provenance);
    char *at = pairs->data;
    for (int i = 0; i < report->provenance_count; i++) {
        report->provenance[i].key = at;
        at += strlen(at) + 1;
        report->provenance[i].value = at;
        at += strlen(at) + 1;
    }
    *pairs = (lat_bytes){0};
}

static void warn_boundary(const lat_config_report *report, const char *path, const lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_error error = {0};
    lat_boundary boundary;
    const char *value = lat_provenance_find(report->provenance, report->provenance_count, "boundary");
    if (!value || lat_provenance_boundary(value, g->dim, g->size, &boundary, &error)) return;
    char *there = lat_boundary_print(&boundary, g->dim), *here = lat_boundary_print(&gauge->boundary[0], g->dim);
    if (there && (!here || strcmp(there, here) != 0))
        fprintf(stderr, "flowhmc: warning: %s: its lattice has %s and this one has not\n", path, there);
    free(there);
    free(here);
}

void lat_config_report_warn(const lat_config_report *report, const char *path, const lat_gauge *gauge)
{
    if (report->warning[0]) fprintf(stderr, "flowhmc: warning: %s: %s\n", path, report->warning);
    const char *weight = lat_provenance_find(report->provenance, report->provenance_count, "log_weight");
    if (weight)
        fprintf(stderr, "flowhmc: warning: %s: is one of many with weights: its own, exp(%.32s), is not heeded\n", path,
                weight);
    warn_boundary(report, path, gauge);
}

void lat_config_report_free(lat_config_report *report)
{
    free(report->provenance);
    free(report->memory);
    *report = (lat_config_report){0};
}

const char *lat_provenance_find(const lat_provenance *provenance, int count, const char *key)
{
    for (int i = 0; i < count; i++)
        if (strcmp(provenance[i].key, key) == 0) return provenance[i].value;
    return NULL;
}

lat_status lat_provenance_boundary(const char *value, int dim, const int64_t *size, lat_boundary *boundary, lat_error *error)
{
    lat_settings *root;
    lat_error found = {0};
    *boundary = (lat_boundary){.open = {false}};
    if (lat_settings_parse(value, "boundary", &root, &found) == LAT_DONE) {
        if (!lat_settings_has(root, "boundary")) lat_fail(&found, LAT_FORMAT, "boundary: says nothing");
        if (!found.status) lat_boundary_read(root, dim, size, boundary, &found);
        lat_settings_finish(root, &found);
        lat_settings_free(root);
    }
    return found.status ? lat_fail(error, LAT_FORMAT, "%s", found.text) : LAT_DONE;
}
