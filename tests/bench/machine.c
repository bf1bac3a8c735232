/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * machine.c: what a benchmark was compiled with, of which commit, and what it runs on.  BENCH_FLAGS is given by the Makefile.
 */
#define _GNU_SOURCE
#include "tests/bench/bench.h"
#include "tests/bench/commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

const char *bench_instructions(void)
{
#if defined __AVX512F__
    return "AVX-512";
#elif defined __AVX2__
    return "AVX2";
#elif defined __AVX__
    return "AVX";
#elif defined __SSE2__
    return "SSE";
#elif defined __ARM_NEON
    return "NEON";
#else
    return "no vectors that are known here";
#endif
}

json_t *bench_build_json(void)
{
#if defined __clang__
    const char *compiler = "clang " __clang_version__;
#else
    const char *compiler = "gcc " __VERSION__;
#endif
    return json_pack("{s:s, s:s?, s:s, s:s, s:s}", "version", PACKAGE_VERSION, "commit",
                     BENCH_COMMIT[0] ? BENCH_COMMIT : NULL, "compiler", compiler, "flags", BENCH_FLAGS, "instructions",
                     bench_instructions());
}

/* The value of the first line "KEY : VALUE" of /proc/cpuinfo, in new memory; NULL without one. */
static char *cpuinfo(const char *key)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[512], *value = NULL;
    while (file && !value && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        size_t length = strcspn(line, "\t:");
        if (!colon || length != strlen(key) || strncmp(line, key, length) != 0) continue;
        colon += 1 + strspn(colon + 1, " ");
        value = lat_text("%.*s", (int)strcspn(colon, "\n"), colon);
    }
    if (file) fclose(file);
    return value;
}

/* Virtual machines call processors of several generations by one name: family and model tell them apart. */
static char *cpu_name(void)
{
    struct utsname system;
    char *name = cpuinfo("model name"), *family = cpuinfo("cpu family"), *model = cpuinfo("model"), *whole;
    if (name && family && model)
        whole = lat_text("%s, family %s, model %s", name, family, model);
    else if (name)
        whole = lat_text("%s", name);
    else
        whole = lat_text("%s", uname(&system) == 0 ? system.machine : "unknown");
    free(name);
    free(family);
    free(model);
    return whole;
}

json_t *bench_machine_json(const char *device)
{
    char *cpu = cpu_name();
    json_t *machine =
        json_pack("{s:s, s:i, s:s?}", "cpu", cpu, "cores", (int)sysconf(_SC_NPROCESSORS_ONLN), "device", device);
    free(cpu);
    return machine;
}
