/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * columns.c: columns of numbers in a text file, read piece by piece: no more than its longest line and its numbers are held.
 */
#include "src/columns.h"

#include "src/progress.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20, LONGEST_LINE = 1 << 26, MOST_COLUMNS = 1 << 16, FIRST_ROWS = 64, MEBIBYTE = 1 << 20 };

static const char blanks[] = " \t\v\f";

/* ----------------------------------------------------------------------------------------------------------- lines */

typedef struct {
    const char *path;
    int descriptor;
    char *text;               /* text[end] = 0 */
    int64_t room, begin, end; /* what is not yet used lies in [begin, end) */
    int64_t done, line;       /* bytes read; number of the last line, from 1 */
    bool ended;
    progress progress;
} reader;

static void reader_open(reader *r, const char *path, lat_error *error)
{
    struct stat about = {0};
    *r = (reader){.path = path, .descriptor = open(path, O_RDONLY | O_CLOEXEC)};
    if (r->descriptor < 0 || fstat(r->descriptor, &about) != 0)
        lat_fail(error, LAT_FILE, "%.300s: cannot be read: %s: check the path and its permissions", path,
                 strerror(errno));
    bool silent = !progress_terminal(stdout) || !S_ISREG(about.st_mode);
    progress_start(&r->progress, "MiB read:", 0, about.st_size / MEBIBYTE, silent);
}

static void reader_close(reader *r)
{
    progress_finish(&r->progress);
    if (r->descriptor >= 0) close(r->descriptor);
    free(r->text);
}

/* Room for another piece behind what is there. */
static void make_room(reader *r, lat_error *error)
{
    if (r->begin > 0) memmove(r->text, r->text + r->begin, (size_t)(r->end - r->begin));
    r->end -= r->begin;
    r->begin = 0;
    if (r->room - r->end > PIECE) return;
    int64_t room = 2 * r->end + 2 * PIECE;
    char *text = r->end > LONGEST_LINE ? NULL : realloc(r->text, (size_t)room);
    if (!text) {
        lat_fail(error, LAT_FORMAT, "%.300s:%lld: the line has more than %lld bytes: give columns of numbers", r->path,
                 (long long)r->line + 1, (long long)r->end);
        return;
    }
    r->text = text;
    r->room = room;
}

static void read_piece(reader *r, lat_error *error)
{
    ssize_t n;
    make_room(r, error);
    if (error->status != LAT_DONE) return;
    do n = read(r->descriptor, r->text + r->end, PIECE);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        lat_fail(error, LAT_FILE, "%.300s: cannot be read: %s: check the path and its permissions", r->path,
                 strerror(errno));
        return;
    }
    if (memchr(r->text + r->end, 0, (size_t)n))
        lat_fail(error, LAT_FORMAT, "%.300s: is not a text file: give columns of numbers or the directory of a run",
                 r->path);
    r->ended = n == 0;
    r->end += n;
    r->done += n;
    r->text[r->end] = 0;
    if (progress_due(&r->progress, r->done / MEBIBYTE))
        progress_show(&r->progress, r->done / MEBIBYTE, "%.60s", r->path);
}

static int64_t line_end(const reader *r, int64_t from)
{
    while (from < r->end && r->text[from] != '\n' && r->text[from] != '\r') from++;
    return from;
}

/* The next line without its end, to be changed at will; NULL after the last one. */
static char *next_line(reader *r, lat_error *error)
{
    int64_t end = line_end(r, r->begin);
    /* The byte after a CR tells whether the line ends there or one further. */
    while (!r->ended && end + 1 >= r->end && error->status == LAT_DONE) {
        int64_t seen = end - r->begin;
        read_piece(r, error);
        end = line_end(r, r->begin + seen);
    }
    if (error->status != LAT_DONE || r->begin == r->end) return NULL;
    char *line = r->text + r->begin;
    r->begin = end < r->end ? end + 1 : end;
    if (r->text[end] == '\r' && r->text[end + 1] == '\n') r->begin++;
    r->text[end] = 0;
    r->line++;
    return line + (strncmp(line, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
}

/* --------------------------------------------------------------------------------------------------------- numbers */

static bool is_end(char c) { return c == 0 || strchr(blanks, c); }

/* 1.5D-03 and 1.5-103 as Fortran writes them: strtod stopped at `stop`. */
static bool fortran_number(const char *word, const char *stop, double *value)
{
    char copy[64], *end;
    bool letter = strchr("dDqQ", *stop) != NULL;
    int mantissa = (int)(stop - word), length = mantissa + (int)strcspn(stop, blanks);
    if (mantissa == 0 || length > 60 || !isdigit((unsigned char)word[length - 1]) || !strchr("dDqQ+-", *stop))
        return false;
    for (int i = 0; i < mantissa; i++)
        if (!isdigit((unsigned char)word[i]) && !strchr("+-.", word[i])) return false;
    snprintf(copy, sizeof copy, "%.*se%.*s", mantissa, word, length - mantissa - letter, stop + letter);
    *value = strtod(copy, &end);
    return *end == 0;
}

/* The number at the beginning of text, which ends with it or goes on with a blank. */
static bool read_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return (end > text && is_end(*end)) || (!is_end(*end) && fortran_number(text, end, value));
}

/* What cannot be a name: it stands for a number, or for one that is missing. */
static bool looks_like_number(const char *word)
{
    static const char *const missing[] = {"na", "n/a", "null", "nil", "none", "missing", "undef"};
    static const char minus[] = "\xE2\x88\x92"; /* the mathematical sign */
    double value;
    if (read_number(word, &value)) return true;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strcasecmp(word, missing[i]) == 0) return true;
    bool digit = false;
    for (const char *c = word; *c; c += strncmp(c, minus, 3) == 0 ? 3 : 1) {
        bool letter = isalpha((unsigned char)*c) || *c == '_' || ((*c & 0x80) && strncmp(c, minus, 3) != 0);
        digit = digit || isdigit((unsigned char)*c);
        if (letter && !(digit && strchr("eEdDqQ", *c))) return false;
    }
    return true;
}

static char *next_word(char **text)
{
    char *word = *text + strspn(*text, blanks);
    *text = word + strcspn(word, blanks);
    if (**text) *(*text)++ = 0;
    return *word ? word : NULL;
}

/* ----------------------------------------------------------------------------------------------------------- table */

typedef struct {
    columns_table *table;
    const reader *source;
    int64_t room;     /* rows */
    int64_t headings; /* line that names the columns; 0: there is none */
} builder;

/* Words of a line, and whether none of them looks like a number. */
static int count_words(const char *line, bool *names)
{
    char *copy = lat_text("%s", line), *rest = copy;
    int count = 0;
    *names = true;
    for (char *word; (word = next_word(&rest)); count++) *names = *names && !looks_like_number(word);
    free(copy);
    return count;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void check_names(const builder *b, lat_error *error)
{
    const columns_table *t = b->table;
    char **sorted = lat_alloc(t->columns, sizeof *sorted);
    memcpy(sorted, t->name, (size_t)t->columns * sizeof *sorted);
    qsort(sorted, (size_t)t->columns, sizeof *sorted, by_text);
    for (int i = 0; i < t->columns; i++)
        for (const char *c = t->name[i]; *c; c++)
            if ((unsigned char)*c < ' ' || *c == 127)
                lat_fail(error, LAT_FORMAT,
                         "%.300s:%lld: a name of a column has control characters: name it differently", b->source->path,
                         (long long)b->source->line);
    for (int i = 1; i < t->columns; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            lat_fail(error, LAT_FORMAT, "%.300s:%lld: two columns are called '%.60s': name them differently",
                     b->source->path, (long long)b->source->line, sorted[i]);
    free(sorted);
}

/* The first line with words in it sets the columns.  True if it names them. */
static bool begin_table(builder *b, char *line, lat_error *error)
{
    columns_table *t = b->table;
    bool named;
    int columns = count_words(line, &named);
    if (columns > MOST_COLUMNS) {
        lat_fail(error, LAT_FORMAT, "%.300s:%lld: has %d columns, the most is %d: give fewer", b->source->path,
                 (long long)b->source->line, columns, (int)MOST_COLUMNS);
        return false;
    }
    t->columns = columns;
    t->name = lat_alloc(columns, sizeof *t->name);
    t->value = lat_alloc(columns, sizeof *t->value);
    for (int i = 0; i < columns; i++) {
        const char *word = named ? next_word(&line) : NULL;
        t->name[i] = word ? lat_text("%s", word) : lat_text("column%d", i + 1);
    }
    if (!named) return false;
    b->headings = b->source->line;
    check_names(b, error);
    return true;
}

/* Whether this line is of names.  Others than at the top are refused: then these are numbers of something else. */
static bool is_heading(const builder *b, const char *line, lat_error *error)
{
    bool named, same = true;
    char first = line[strspn(line, blanks)];
    /* Rows of numbers, most of all lines, are told at once. */
    if (b->headings == 0 || (strchr("+-.0123456789", first) && first != b->table->name[0][0])) return false;
    int count = count_words(line, &named);
    if (!named) return false;
    char *copy = lat_text("%s", line), *rest = copy;
    for (int i = 0; i < count && count == b->table->columns; i++)
        same = same && strcmp(next_word(&rest), b->table->name[i]) == 0;
    if (!same || count != b->table->columns)
        lat_fail(error, LAT_FORMAT,
                 "%.300s:%lld: names other columns than line %lld: give each table a file of its own", b->source->path,
                 (long long)b->source->line, (long long)b->headings);
    free(copy);
    return true;
}

/* Twice the room, but no more than the memory of the machine. */
static void grow(builder *b, lat_error *error)
{
    columns_table *t = b->table;
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    int64_t room = b->room ? 2 * b->room : FIRST_ROWS;
    bool good = (double)room * t->columns * sizeof(double) < memory;
    for (int i = 0; i < t->columns && good; i++) {
        double *value = realloc(t->value[i], (size_t)room * sizeof *value);
        good = value;
        if (value) t->value[i] = value;
    }
    if (!good)
        lat_fail(error, LAT_CONFIG, "%.300s:%lld: no memory for more than %lld rows of %d columns: analyse it in parts",
                 b->source->path, (long long)b->source->line, (long long)t->rows, t->columns);
    b->room = room;
}

static void refuse_word(const builder *b, const char *word, lat_error *error)
{
    int length = (int)strcspn(word, blanks);
    bool comma = memchr(word, ',', (size_t)length) || memchr(word, ';', (size_t)length);
    lat_fail(error, LAT_FORMAT, "%.300s:%lld: '%.*s' is not a finite number: %s", b->source->path,
             (long long)b->source->line, length < 60 ? length : 60, word,
             comma ? "decimals have a point, and columns are separated by blanks"
                   : "correct the line or make it a # comment");
}

static void add_row(builder *b, const char *text, lat_error *error)
{
    columns_table *t = b->table;
    int count = 0;
    if (t->rows == b->room) grow(b, error);
    for (text += strspn(text, blanks); *text && error->status == LAT_DONE; count++) {
        double value;
        if (!read_number(text, &value) || !isfinite(value))
            refuse_word(b, text, error);
        else if (count < t->columns)
            t->value[count][t->rows] = value;
        text += strcspn(text, blanks);
        text += strspn(text, blanks);
    }
    if (count != t->columns)
        lat_fail(error, LAT_FORMAT,
                 "%.300s:%lld: %d numbers where the lines above have %d: complete the line or take it out",
                 b->source->path, (long long)b->source->line, count, t->columns);
    t->rows++;
}

static void add_line(builder *b, char *line, lat_error *error)
{
    line[strcspn(line, "#")] = 0;
    if (line[strspn(line, blanks)] == 0) return;
    if (b->table->columns == 0 && begin_table(b, line, error)) return;
    if (error->status == LAT_DONE && !is_heading(b, line, error)) add_row(b, line, error);
}

lat_status columns_read(const char *path, columns_table *table, lat_error *error)
{
    reader source;
    *table = (columns_table){0};
    builder b = {.table = table, .source = &source};
    reader_open(&source, path, error);
    for (char *line; error->status == LAT_DONE && (line = next_line(&source, error));) add_line(&b, line, error);
    reader_close(&source);
    return error->status;
}

void columns_free(columns_table *table)
{
    for (int i = 0; i < table->columns; i++) {
        free(table->name[i]);
        free(table->value[i]);
    }
    free(table->name);
    free(table->value);
    *table = (columns_table){0};
}
