/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * numbering.c: numbers and replicas of configurations, from names as other programs give them, from what files say of
 * themselves, and by a pattern; order; what is refused.
 * # ranks: 1
 */
#include "tests/tap.h"

#include "src/numbering.h"

static const struct {
    const char *name;
    int64_t replica, number;
} known[] = {
    /* Grid, Hadrons, CPS */
    {"ckpoint_lat.10", 1, 10},
    {"ckpoint_lat.IEEE64BIG.10", 1, 10},
    {"ckpoint_EODWF_lat.125", 1, 125},
    {"lat.1000", 1, 1000},
    {"/data/48I/ckpoint_lat.1340", 1, 1340},
    {"ckpoint_lat.10.nersc", 1, 10},
    {"ckpoint_lat.10.IEEE64BIG", 1, 10},
    /* MILC, SIMULATeQCD */
    {"l328f21b6285m0009_019.995", 1, 995},
    {"l3248f211b580m00235m0647m831a.1005", 1, 1005},
    {"l1648f211b580m013m065m838a.100.scidac", 1, 100},
    {"l8t4b3360.30", 1, 30},
    {"l20t20b06498a_nersc.302500", 1, 302500},
    /* tmLQCD */
    {"conf.0010", 1, 10},
    {"conf.0010.ildg", 1, 10},
    {"conf_cA211a.30.32.0010", 1, 10},
    /* openQCD */
    {"l48f21b6.0m001r1n10", 1, 10},
    {"H101r000n10", 0, 10},
    {"E250r001n151", 1, 151},
    {"testn10", 1, 10},
    {"A653r002n5.openqcd", 2, 5},
    {"cfg_r003_n0010.dat", 3, 10},
    /* Chroma, BQCD, PACS-CS, LatticeQCD.jl */
    {"wlq_6p1_24_cfg_1000.lime", 1, 1000},
    {"cl21_32_64_b6p3_m0p2390_m0p2050_cfg_1000.lime", 1, 1000},
    {"szscl21_24_128_b1p50_t_x4p300_um0p0840_sm0p0743_n1p265_per_cfg_1000.lime", 1, 1000},
    {"bqcd.000.2.00010.lime", 1, 10},
    {"RC32x64_B1900Kud01370000Ks01364000C1715-a-001010", 1, 1010},
    {"conf_00000100.ildg", 1, 100},
    {"conf_00000100.jld2", 1, 100},
    /* flowhmc, which counts replicas from 0 */
    {"run/configs/step-0000000010.openqcd", 1, 10},
    {"run/configs/step-0000000010-replica-00003.openqcd", 4, 10},
    {"step-0000000010-replica-00000.h5", 1, 10},
    /* anything else */
    {"cfg_10", 1, 10},
    {"conf0010_16x32.nersc", 1, 10},
    {"u1-16x16-traj100.h5", 1, 100},
    {"stream2_cfg_300.lime", 2, 300},
    {"conf.0010_smeared", 1, 10},
    {"runs.4/conf-17", 1, 17},
};

static void names(void)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        lat_error error = {0};
        numbered_file file = {.path = known[i].name};
        numbering_of_name(&file, &error);
        ok(!error.status && file.number == known[i].number && file.replica == known[i].replica,
           "%s: number %lld of replica %lld%s%s", known[i].name, (long long)file.number, (long long)file.replica,
           error.status ? ": " : "", error.text);
    }
}

enum { MOST = 8 };

/* The numbers in the order in which the files are taken: "1:10 1:20"; "" and a message if they are refused. */
static char *order(const char *const *paths, const char *pattern, const char *const *step, const char *const *replica,
                   lat_error *error)
{
    static const char *const nothing[MOST];
    numbered_file files[MOST] = {{0}};
    int count = 0;
    for (; paths[count]; count++) files[count] = (numbered_file){.path = paths[count], .place = count};
    lat_bytes text = {0};
    lat_bytes_add(&text, "", 0);
    *error = (lat_error){0};
    if (numbering_order(files, count, pattern, step ? step : nothing, replica ? replica : nothing, error))
        return text.data;
    for (int i = 0; i < count; i++)
        lat_bytes_print(&text, "%s%lld:%lld", i ? " " : "", (long long)files[i].replica, (long long)files[i].number);
    return text.data;
}

static void taken(const char *expected, const char *const *paths, const char *pattern, const char *const *step,
                  const char *const *replica)
{
    lat_error error;
    char *found = order(paths, pattern, step, replica, &error);
    ok(!error.status && strcmp(found, expected) == 0, "%s, %s ...: %s%s", paths[0], paths[1] ? paths[1] : "", found,
       error.text);
    free(found);
}

static void refused(lat_status status, const char *words, const char *const *paths, const char *pattern,
                    const char *const *step, const char *const *replica)
{
    lat_error error;
    free(order(paths, pattern, step, replica, &error));
    ok(error.status == status && strstr(error.text, words), "refused: %s", error.text);
}

#define FILES(...) ((const char *const[MOST]){__VA_ARGS__})

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    names();

    taken("1:2 1:10 1:100", FILES("ckpoint_lat.10", "ckpoint_lat.100", "ckpoint_lat.2"), NULL, NULL, NULL);
    taken("0:3 1:1 1:2", FILES("ar1n1", "ar1n2", "ar0n3"), NULL, NULL, NULL);
    taken("1:7", FILES("only7.nersc"), NULL, NULL, NULL);
    taken("1:1", FILES("only.nersc"), NULL, NULL, NULL);
    taken("1:5 2:4", FILES("a.h5", "b.h5"), NULL, FILES("4", "5"), FILES("1", "0"));
    taken("1:4 1:30", FILES("conf.30", "renamed.9.h5"), NULL, FILES(NULL, "4"), FILES(NULL, "0"));
    taken("1:10 1:20", FILES("conf.10", "conf.20"), NULL, FILES("0", "0"),
          NULL); /* a step without a replica is no step of ours */
    taken("1:3 1:4", FILES("b4_run7", "b3_run7"), "b([0-9]+)", NULL, NULL);
    taken("1:10 1:20", FILES("run20/lat", "run10/lat"), "run([0-9]+)/", NULL, NULL);
    taken("1:8 1:9", FILES("a.9.h5", "a.8.h5"), "([0-9]+)", FILES("4", "4"), FILES("0", "0"));
    taken("1:10 2:10", FILES("step-10-replica-0.x", "step-10-replica-1.x"), NULL, NULL, NULL);

    refused(LAT_CONFIG, "has no number in its name: say which it is with --number", FILES("hot.nersc", "cold.nersc"),
            NULL, NULL, NULL);
    refused(LAT_CONFIG, "are both number 64 of replica 1", FILES("a.10/lat64", "a.20/lat64"), NULL, NULL, NULL);
    refused(LAT_CONFIG, "are both number 10", FILES("conf.10", "conf.010"), NULL, NULL, NULL);
    refused(LAT_CONFIG, "are both number 4", FILES("conf.10", "conf.20"), NULL, FILES("4", "4"), FILES("0", "0"));
    refused(LAT_CONFIG, "is its number 10 or 3?", FILES("conf.10.task3", "conf.20.task4"), NULL, NULL, NULL);
    refused(LAT_CONFIG, "differ in other digits than their numbers", FILES("run1_10", "run2_20"), NULL, NULL, NULL);
    refused(LAT_CONFIG, "is its number 10 or 0?", FILES("cfg10_b6.0"), NULL, NULL, NULL);
    refused(LAT_CONFIG, "is its number 0010 or 3?", FILES("conf.0010_hyp3"), NULL, NULL, NULL);
    refused(LAT_CONFIG, "more than 18 digits", FILES("conf.1234567890123456789"), NULL, NULL, NULL);
    refused(LAT_USAGE, "is no regular expression", FILES("conf.10"), "conf.([0-9]+", NULL, NULL);
    refused(LAT_USAGE, "has no group", FILES("conf.10"), "conf.[0-9]+", NULL, NULL);
    refused(LAT_CONFIG, "does not match --number", FILES("conf.10"), "cfg.([0-9]+)", NULL, NULL);
    refused(LAT_CONFIG, "matches no number", FILES("conf.10"), "(conf)", NULL, NULL);
    refused(LAT_CONFIG, "matches no number", FILES("conf.10"), "conf(x)?", NULL, NULL);
    return tap_end();
}
