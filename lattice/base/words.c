/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * words.c: words that are alike, and lists of words.
 *
 * Edit distance: R. A. Wagner and M. J. Fischer, J. ACM 21 (1974) 168, with the exchanges of F. J. Damerau, Commun. ACM
 * 7 (1964) 171.
 */
#include "lattice/base/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int lat_edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    int distance[LONGEST + 1][LONGEST + 1];
    int m = (int)strnlen(a, LONGEST), n = (int)strnlen(b, LONGEST);
    for (int i = 0; i <= m; i++) {
        for (int j = 0; j <= n; j++) {
            int best = i + j;
            if (i > 0 && j > 0) {
                int p = tolower((unsigned char)a[i - 1]), q = tolower((unsigned char)b[j - 1]);
                int remove = distance[i - 1][j] + 1, insert = distance[i][j - 1] + 1;
                best = distance[i - 1][j - 1] + (p != q);
                if (remove < best) best = remove;
                if (insert < best) best = insert;
                bool exchanged =
                    i > 1 && j > 1 && p == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == q;
                if (exchanged && distance[i - 2][j - 2] + 1 < best) best = distance[i - 2][j - 2] + 1;
            }
            distance[i][j] = best;
        }
    }
    return distance[m][n];
}

const char *lat_nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    int least = 0;
    for (; *names; names++) {
        int distance = lat_edit_distance(word, *names);
        if (nearest && distance >= least) continue;
        nearest = *names;
        least = distance;
    }
    return nearest;
}

void lat_add_word(char *list, size_t size, const char *word)
{
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", word);
}
