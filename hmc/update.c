/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * update.c: lists of updates, as a configuration names them.
 */
#include "hmc/update.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_KINDS = 64 };

int mc_names_count(const char *const *names)
{
    int count = 0;
    while (names && names[count]) count++;
    return count;
}

static mc_update *create(lat_settings *root, const mc_update_table *const *tables, const mc_context *context, int index, lat_error *error)
{
    const char *names[MOST_KINDS + 1] = {NULL};
    for (int i = 0; i < MOST_KINDS && tables[i]; i++) names[i] = tables[i]->name;
    lat_settings *settings = lat_settings_item(root, "updates", index, error);
    int kind = lat_settings_choice(settings, "kind", NULL, names, error);
    return error->status ? NULL : tables[kind]->create(settings, context, index, error);
}

lat_status mc_updates_create(lat_settings *root, const mc_update_table *const *tables, const mc_context *context, mc_update ***updates,
                             int *count, lat_error *error)
{
    enum { MOST_UPDATES = 1000 };
    *count = 0;
    *updates = NULL;
    int wanted = lat_settings_list(root, "updates", error);
    if (error->status) return error->status;
    if (wanted < 1 && lat_settings_has(root, "update")) return lat_settings_fail(root, "update", error, "unknown key: is 'updates' meant?");
    if (wanted < 1 || wanted > MOST_UPDATES)
        return lat_settings_fail(root, "updates", error,
                                 "%d updates: name 1 to %d, for example updates = ( { kind = \"hmc\"; } );", wanted,
                                 MOST_UPDATES);
    *updates = lat_alloc(wanted, sizeof **updates);
    while (*count < wanted && !error->status) {
        mc_update *update = create(root, tables, context, *count, error);
        if (update) (*updates)[(*count)++] = update;
    }
    if (error->status == LAT_DONE) return LAT_DONE;
    mc_updates_free(*updates, *count);
    *updates = NULL;
    *count = 0;
    return error->status;
}

void mc_report_real(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

void mc_updates_free(mc_update **updates, int count)
{
    for (int i = 0; i < count; i++) updates[i]->table->free(updates[i]);
    free(updates);
}
