/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * remarks.c: what a run that is asked for should make its user think again.
 */
#include "src/remarks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Do the updates reach every configuration?  A reflection keeps the action, and an instanton changes the charge alone. */
static void warn_of_updates(const ensemble *e)
{
    for (int i = 0; i < e->update_count; i++)
        if (e->updates[i]->table != &mc_update_overrelax && e->updates[i]->table != &mc_update_instanton &&
            e->updates[i]->table != &mc_update_tempering && e->updates[i]->table != &mc_update_nonequilibrium)
            return;
    run_warn(e->run, "updates: overrelax, instanton, tempering and nonequilibrium alone do not reach every "
                     "configuration: the results "
                     "will be wrong; add heatbath or hmc");
}

/* The lines of the action and of its operators in a printed configuration, "action.[0].beta = 2.0;". */
static char *action_lines(const char *config)
{
    char *all = run_identity(config, &(run_changes){0}), *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) lat_abort(LAT_CONFIG, "memory: none left to compare actions");
    for (const char *line = all; *line; line += strcspn(line, "\n") + 1)
        if (strncmp(line, "action.", strlen("action.")) == 0 || strncmp(line, "operators.", strlen("operators.")) == 0) fprintf(out, "%.*s ", (int)strcspn(line, "\n"), line);
    if (fclose(out) != 0) lat_abort(LAT_CONFIG, "memory: none left to compare actions");
    free(all);
    return text;
}

static lat_shape lattice_of(const lat_geometry *g)
{
    lat_shape shape = {.dim = g->dim};
    memcpy(shape.size, g->size, sizeof shape.size);
    return shape;
}

/* A flow for another action proposes badly; or does it well, after a training for a coupling near by. */
static void warn_of_model(const ensemble *e, int update, const char *here)
{
    json_t *report = json_object();
    e->updates[update]->table->report(e->updates[update], report);
    const char *action = json_string_value(json_object_get(json_object_get(report, "model"), "action"));
    lat_error no_action = {0};
    lat_settings *root = NULL;
    if (action && *action && lat_settings_parse(action, "model", &root, &no_action) == LAT_DONE) {
        const lat_shape lattice = lattice_of(mc_chain_lattice(e->chain));
        const lat_action_context context = {.group = e->chain->state->gauge->group, .lattice = &lattice};
        lat_action_free(lat_action_read(root, context, lat_action_kinds, lat_dirac_tables, &no_action));
        char *printed = lat_settings_print(root), *there = action_lines(printed);
        if (!no_action.status && strcmp(here, there) != 0)
            run_warn(e->run, "updates.[%d]: the model was trained for another action: %sthere, %shere: see its ESS and acceptance", update,
                     there, here);
        free(printed);
        free(there);
    }
    lat_settings_free(root);
    json_decref(report);
}

void remarks_on(const ensemble *e)
{
    warn_of_updates(e);
    char *action = action_lines(e->identity);
    for (int i = 0; i < e->update_count; i++) warn_of_model(e, i, action);
    free(action);
}
