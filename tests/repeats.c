/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * repeats.c: sequences of kernels are run, recorded and replayed, and no more of them remembered than there is room for.
 */
#include "tests/tap.h"

#include "lattice/backend/backend.h"
#include "lattice/grid/repeat.c" /* what it remembers is its own */

static struct {
    int runs, records, replays, forgotten;
    bool recording, refuses;
} seen;

static bool fake_record(void) { return seen.recording = !seen.refuses; }
static bool fake_recording(void) { return seen.recording; }
static void *fake_end_record(void)
{
    seen.recording = false;
    seen.records++;
    return &seen;
}
static void fake_replay(void *what) { seen.replays += what == &seen; }
static void fake_forget(void *what) { seen.forgotten += what == &seen; }
static void run(const void *arguments) { seen.runs += *(const int *)arguments >= 0; }

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    const lat_backend backend = {.record = fake_record, .recording = fake_recording, .end_record = fake_end_record, .replay = fake_replay, .forget = fake_forget};
    const lat_geometry g = {.rank_count = 1, .backend = &backend};
    lat_repeats *repeats = lat_repeats_create(&g);
    const int two = 2;
    for (int i = 0; i < 4; i++) lat_repeat(repeats, run, &two, sizeof two);
    ok(seen.runs == 2 && seen.records == 1 && seen.replays == 3, "run, recorded the second time, replayed from then on");
    seen.refuses = true;
    const int three = 3;
    for (int i = 0; i < 4; i++) lat_repeat(repeats, run, &three, sizeof three);
    ok(seen.runs == 6 && seen.records == 1, "what cannot be recorded is run");
    for (int i = 100; i < 100 + 3 * MOST_SEQUENCES; i++) lat_repeat(repeats, run, &i, sizeof i);
    ok(repeats->count == MOST_SEQUENCES, "no more than %d sequences are counted", MOST_SEQUENCES);
    ok(seen.runs == 6 + 3 * MOST_SEQUENCES, "all others are run");
    lat_repeats_free(repeats);
    ok(seen.forgotten == 1, "recordings are forgotten");
    return tap_end();
}
