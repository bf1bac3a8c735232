/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * numbering.h: which configuration of which chain a file holds.  Local; the same on all ranks.
 *
 * flowhmc's own files say it: step and replica.  Other programs put the number into the name, nearly always last:
 *
 *     ckpoint_lat.10  ckpoint_lat.IEEE64BIG.10          Grid, Hadrons, CPS
 *     l328f21b6285m0009_019.995  l20t20b06498a.302500   MILC, SIMULATeQCD
 *     conf.0010  conf.0010.ildg                         tmLQCD
 *     l48f21b6.0m001r1n10                               openQCD: replica 1
 *     stream_cfg_1000.lime  bqcd.000.2.00010.lime       Chroma, BQCD
 *     step-0000000010-replica-00003.openqcd             flowhmc
 */
#ifndef NUMBERING_H
#define NUMBERING_H

#include "lattice/lattice.h"

typedef struct {
    const char *path;
    int64_t replica,
        number; /* replicas of flowhmc, which counts from 0, count from 1 here; so does a file that names none */
    int place;  /* on the command line, from 0 */
} numbered_file;

/* From the name: the digits at its end, after endings that stand for formats (.lime, .h5, .IEEE64BIG) are taken
 * off; those of r1n10 and step-10, wherever they are.  Digits of extents (16x32) are none.  LAT_CONFIG, naming
 * --number, if the name has no number, or if digits behind one of the words cfg, conf, config, traj, trajectory,
 * ckpoint_lat say otherwise. */
lat_status numbering_of_name(numbered_file *file, lat_error *error);

/* All files: by the pattern (a POSIX extended regular expression, whose first group is matched in the name, else in
 * the path; NULL: none); by the provenance of each, step and replica being NULL where the file has none; by their
 * names.  A single file without any number is number 1.  Sorts by replica and number.  LAT_USAGE if the pattern is
 * none; LAT_CONFIG if a number is ambiguous: names that differ in more numbers than these, or two files with the
 * same ones. */
lat_status numbering_order(numbered_file *files, int count, const char *pattern, const char *const *step,
                           const char *const *replica, lat_error *error);

#endif
