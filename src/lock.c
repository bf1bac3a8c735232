/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lock.c: locks of files.
 */
#include "src/lock.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

enum { TENTHS = 100 };

bool lock_file(int descriptor)
{
    const struct timespec moment = {.tv_nsec = 100000000};
    for (int i = 0; flock(descriptor, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK && errno != EINTR) return true;
        if (i == TENTHS) return false;
        nanosleep(&moment, NULL);
    }
    return true;
}
