/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pilot.c: the rungs of a ladder, from its thermodynamic length (hmc/updates/schedule.h), which a ladder of a few rungs can measure as well
 * as one of many.  The members of a field are what they are from the first step on, so that it is measured before the run: by its own
 * updates, on a ladder that adapts itself.  What is found is a function of the configuration alone.
 */
#include "src/pilot.h"

#include "hmc/updates/tempering.h"
#include "src/keeping.h"
#include "src/progress.h"
#include "src/signals.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_STEPS = 64 };

/* NULL: there is none. */
static const mc_update *find_tempering(const ensemble *e)
{
    for (int i = 0; i < e->update_count; i++)
        if (e->updates[i]->table == &mc_update_tempering) return e->updates[i];
    return NULL;
}

lat_status pilot_check(lat_settings *root, const ensemble *e, lat_error *error)
{
    if (!find_tempering(e))
        return lat_settings_fail(root, "updates", error,
                                 "couplings = \"auto\" needs the update tempering: add { kind = \"tempering\"; }");
    if (e->chain->thermalise < LEAST_STEPS)
        return lat_settings_fail(lat_settings_group(root, "chain", error), "thermalise", error,
                                 "couplings = \"auto\" is found in a thermalisation of %d steps or more", LEAST_STEPS);
    return LAT_DONE;
}

/* The ladder is set at powers of two: then the second half of the steps is on one ladder, and all of that is measured. */
static uint64_t steps_of(const mc_chain *chain)
{
    uint64_t steps = LEAST_STEPS;
    while (2 * steps <= chain->thermalise) steps *= 2;
    return steps;
}

static lat_status run_pilot(ensemble *e, lat_error *error)
{
    mc_chain *chain = e->chain;
    const uint64_t steps = steps_of(chain);
    const char *reason = NULL;
    stopper stopper;
    progress progress;
    if (mc_chain_start(chain, error)) return error->status;
    stopper_start(&stopper, MPI_COMM_WORLD, e->run->directory, e->walltime);
    progress_start(&progress, "step", 0, (int64_t)steps, e->run->quiet || e->run->rank > 0);
    while (!error->status && !(reason = stopper_reason(&stopper)) && chain->state->step < steps) {
        mc_chain_step(chain, e->updates, e->update_count, error);
        if (progress_due(&progress, (int64_t)chain->state->step))
            progress_show(&progress, (int64_t)chain->state->step, "pilot of the ladder");
    }
    progress_finish(&progress);
    if (!error->status && reason)
        lat_fail(error, LAT_STOPPED,
                 "%.300s: stopped in the pilot of its ladder (%s), of which nothing is kept: start again",
                 e->run->directory, reason);
    if (e->walltime > 0) e->walltime = (int64_t)fmax(1, (double)e->walltime - (MPI_Wtime() - stopper.started));
    stopper_end(&stopper);
    return error->status;
}

static void say(const ensemble *e, const lat_rungs *rungs)
{
    lat_bytes text = {0};
    for (int i = 0; i < rungs->rungs; i++) lat_bytes_print(&text, "%s%.4g", i ? ", " : "", rungs->coupling[i]);
    run_log(e->run, "pilot: %d rungs, for swaps that are accepted with %g: [%s]", rungs->rungs, rungs->acceptance,
            text.data);
    free(text.data);
}

lat_status pilot_find(ensemble *e, lat_rungs *rungs, lat_error *error)
{
    *rungs = (lat_rungs){.acceptance = e->chain->state->ladder->acceptance};
    char *path = run_path(e->run, "checkpoint.h5");
    const bool resumes = e->run->resumed && keeping_on_disk(path);
    if (resumes) {
        mc_checkpoint_rungs(MPI_COMM_WORLD, path, rungs, error);
    } else if (run_pilot(e, error) == LAT_DONE) {
        if (mc_tempering_plan(find_tempering(e), rungs) > LAT_MOST_RUNGS)
            lat_fail(error, LAT_CONFIG,
                     "lattice.defect: swaps of acceptance %g take more than %d rungs: take a smaller defect",
                     rungs->acceptance, LAT_MOST_RUNGS);
        else
            say(e, rungs);
    }
    free(path);
    return error->status;
}
