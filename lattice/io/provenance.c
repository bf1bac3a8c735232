/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * provenance.c: pairs of key and value that a configuration carries.
 */
#include "lattice/io/io.h"

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
