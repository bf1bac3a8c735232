/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * words.h: words that are alike, and lists of words.
 */
#ifndef LAT_BASE_WORDS_H
#define LAT_BASE_WORDS_H

#include <stddef.h>

/* Insertions, deletions, replacements and exchanges of neighbours that turn one word into the other, capitals aside; of the first 63
 * letters of both. */
int lat_edit_distance(const char *a, const char *b);

/* The entry of a NULL-terminated list with the least edit distance to word; NULL if the list is empty. */
const char *lat_nearest(const char *word, const char *const *names);

/* Adds a word to a list separated by commas, as long as there is room. */
void lat_add_word(char *list, size_t size, const char *word);

#endif
