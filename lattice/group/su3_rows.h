/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * su3_rows.h: products of links of SU(3) in memory (kernels/links.h), for vectors of which there are 16 registers.  They hold one row of the
 * product, and neither it nor a factor as a whole, which the compiler would store and load over and over: so factors stay where
 * they are, and that on the right is read again for each row.  The operations are those of su3.h, in the same order.
 */
#ifndef SU3_ROWS_H
#define SU3_ROWS_H

REAL_INLINE place_t place_again(place_t a) { return (place_t){real_again(a.p), a.lanes, a.dagger}; }
REAL_INLINE place_t place_of(const void *a) { return (place_t){real_again((const scalar *)a), REAL_LANES, false}; }
REAL_INLINE complex_t entry_at(place_t a, int i, int j)
{
    complex_t entry = complex_load(a.p + (a.dagger ? 6 * j + 2 * i : 6 * i + 2 * j) * a.lanes, a.lanes);
    real_hold(&entry.re);
    real_hold(&entry.im);
    return a.dagger ? complex_conj(entry) : entry;
}

/* a b_k and c + a b_k, b_k row k of b */
REAL_INLINE row_t row_scale_at(complex_t a, place_t b, int k)
{
    row_t c;
    c.x = complex_mul(a, entry_at(b, k, 0));
    c.y = complex_mul(a, entry_at(b, k, 1));
    c.z = complex_mul(a, entry_at(b, k, 2));
    return c;
}
REAL_INLINE row_t row_mul_add_at(complex_t a, place_t b, int k, row_t c)
{
    c.x = complex_mul_add(a, entry_at(b, k, 0), c.x);
    c.y = complex_mul_add(a, entry_at(b, k, 1), c.y);
    c.z = complex_mul_add(a, entry_at(b, k, 2), c.z);
    return c;
}
/* A row times b; row i and column i of a b */
REAL_INLINE row_t row_mul_at(row_t a, place_t b)
{
    row_t c = row_scale_at(a.x, b, 0);
    c = row_mul_add_at(a.y, b, 1, c);
    return row_mul_add_at(a.z, b, 2, c);
}
REAL_INLINE row_t product_row(place_t a, place_t b, int i)
{
    row_t c = row_scale_at(entry_at(a, i, 0), b, 0);
    c = row_mul_add_at(entry_at(a, i, 1), b, 1, c);
    return row_mul_add_at(entry_at(a, i, 2), b, 2, c);
}
REAL_INLINE row_t product_column(place_t a, place_t b, int i)
{
    complex_t u = entry_at(b, 0, i), v = entry_at(b, 1, i), w = entry_at(b, 2, i);
    row_t c = {complex_mul(entry_at(a, 0, 0), u), complex_mul(entry_at(a, 1, 0), u), complex_mul(entry_at(a, 2, 0), u)};
    c = (row_t){complex_mul_add(entry_at(a, 0, 1), v, c.x), complex_mul_add(entry_at(a, 1, 1), v, c.y),
                complex_mul_add(entry_at(a, 2, 1), v, c.z)};
    return (row_t){complex_mul_add(entry_at(a, 0, 2), w, c.x), complex_mul_add(entry_at(a, 1, 2), w, c.y),
                   complex_mul_add(entry_at(a, 2, 2), w, c.z)};
}

REAL_INLINE link_t places_mul(place_t a, place_t b)
{
    row_t r = product_row(a, b, 0);
    b = place_again(b);
    row_t s = product_row(a, b, 1);
    b = place_again(b);
    return (link_t){r, s, product_row(a, b, 2)};
}
REAL_INLINE void places_mul_to(place_t a, place_t b, scalar *out, int lanes)
{
    row_store(out, lanes, product_row(a, b, 0));
    b = place_again(b);
    row_store(out + 6 * lanes, lanes, product_row(a, b, 1));
    b = place_again(b);
    row_store(out + 12 * lanes, lanes, product_row(a, b, 2));
}
/* The lines of a row: a few at a time, between rows of the product */
REAL_INLINE void fetch_row(place_t next, int i)
{
    const int step = next.lanes == REAL_LANES ? REAL_LINE : 1;
    for (int c = 6 * i; c < 6 * i + 6; c += step) real_prefetch(next.p + c * next.lanes);
}
REAL_INLINE void places_mul_fetching(place_t a, place_t b, place_t next, link_t *out)
{
    fetch_row(next, 0);
    out->r = product_row(a, b, 0);
    b = place_again(b);
    fetch_row(next, 1);
    out->s = product_row(a, b, 1);
    b = place_again(b);
    fetch_row(next, 2);
    out->t = product_row(a, b, 2);
}
/* What is between the products is in registers. */
REAL_INLINE link_t places_mul_twice(place_t a, place_t b, place_t c)
{
    row_t r = row_mul_at(product_row(a, b, 0), c);
    b = place_again(b), c = place_again(c);
    row_t s = row_mul_at(product_row(a, b, 1), c);
    b = place_again(b), c = place_again(c);
    return (link_t){r, s, row_mul_at(product_row(a, b, 2), c)};
}
REAL_INLINE link_t places_mul_dagger_mul(place_t a, place_t b, place_t c)
{
    row_t r = row_mul_at(row_conj(product_column(a, b, 0)), c);
    a = place_again(a), c = place_again(c);
    row_t s = row_mul_at(row_conj(product_column(a, b, 1)), c);
    a = place_again(a), c = place_again(c);
    return (link_t){r, s, row_mul_at(row_conj(product_column(a, b, 2)), c)};
}

#endif
