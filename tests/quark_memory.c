/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * quark_memory.c: what terms with quarks say that they take, on a lattice that is only planned, against what they have taken at the most after
 * a refresh, a value and a force: by a backend that counts.
 */
#include "lattice/backend/backend.h"
#include "lattice/dirac/action.h"
#include "tests/tap.h"

#include <malloc.h>

/* --------------------------------------------------------------------------------------------------- a backend that counts */

/* Memory that it gave out: it is given some to release, too, that was the host's. */
enum { MOST_PIECES = 4096 };
static struct {
    void *piece[MOST_PIECES];
    double bytes[MOST_PIECES];
    int pieces;
    double held, peak;
} counted;

static void *allocate(int64_t bytes)
{
    void *memory = lat_backend_cpu.allocate(bytes);
    if (counted.pieces == MOST_PIECES) lat_abort(LAT_CONFIG, "test: more than %d pieces of memory", MOST_PIECES);
    counted.piece[counted.pieces] = memory;
    counted.held += counted.bytes[counted.pieces++] = (double)lat_alloc_bytes((size_t)bytes);
    counted.peak = fmax(counted.peak, counted.held);
    return memory;
}

static void release(void *memory)
{
    for (int i = counted.pieces - 1; i >= 0; i--)
        if (counted.piece[i] == memory) {
            counted.held -= counted.bytes[i];
            counted.piece[i] = counted.piece[--counted.pieces];
            counted.bytes[i] = counted.bytes[counted.pieces];
            break;
        }
    lat_backend_cpu.release(memory);
}

/* --------------------------------------------------------------------------------------------------------------- scenes */

#define CLOVER                                                                                                         \
    "{ name = \"light\"; kind = \"clover\"; kappa = 0.12; csw = 1.0; }, { name = \"heavy\"; kind = \"clover\"; kappa " \
    "= 0.11; csw = 1.0; }"
#define WILSON "{ name = \"light\"; kind = \"wilson\"; kappa = 0.15; }"
#define TWO(name) "{ kind = \"two_flavours\"; operator = \"" name "\"; masses = [0.0, 0.5]; }"
#define ONE(name) "{ kind = \"rational\"; operator = \"" name "\"; range = [0.05, 9.0]; }"

static const struct {
    const char *name, *operators, *action;
    lat_group group;
    lat_shape shape;
    int large; /* pieces that a determinant keeps and that are aligned to large pages */
} scenes[] = {
    {"two flavours", CLOVER, TWO("light"), LAT_SU3, {.dim = 4, .size = {4, 4, 4, 8}}, 0},
    {"one", CLOVER, ONE("light"), LAT_SU3, {.dim = 4, .size = {4, 4, 4, 8}}, 0},
    {"2+1, wide halo", CLOVER, TWO("light") ", " ONE("heavy"), LAT_SU3, {.dim = 4, .size = {8, 4, 4, 8}, .halo = 2}, 0},
    {"2+1 of one operator", CLOVER, TWO("light") ", " ONE("light"), LAT_SU2, {.dim = 4, .size = {4, 4, 8, 8}}, 0},
    {"without a clover term", WILSON, TWO("light"), LAT_SU2, {.dim = 4, .size = {4, 8, 4, 8}}, 0},
    {"Schwinger", WILSON, TWO("light") ", " ONE("light"), LAT_U1, {.dim = 2, .size = {16, 16}, .members = 12}, 0},
    {"determinant",
     WILSON,
     "{ kind = \"determinant\"; operator = \"light\"; }",
     LAT_SU2,
     {.dim = 2, .size = {16, 16}, .members = 48},
     4},
    {"determinant, dense",
     WILSON,
     "{ kind = \"determinant\"; operator = \"light\"; }",
     LAT_U1,
     {.dim = 4, .size = {4, 4, 4, 4}, .members = 4},
     1},
};

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static double heap(void)
{
    const struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd);
}

static void use(lat_action *action, lat_gauge *gauge, lat_field *force, lat_field *density)
{
    const lat_random random = {.seed = 7, .purpose = LAT_RANDOM_TEST};
    lat_error error = {0};
    double *out = lat_alloc(gauge->links->geometry->members, sizeof *out);
    lat_action_refresh(action, gauge, &random);
    lat_action_sum(action, gauge, density, out);
    lat_action_force(action, gauge, 1, force);
    lat_action_failed(action, &error);
    require(&error);
    free(out);
}

/* Matrices of determinants are no fields, but are kept, and so seen afterwards. */
static void test_scene(int i)
{
    lat_backend counting = lat_backend_cpu;
    lat_error error = {0};
    lat_settings *root;
    lat_geometry *geometry, *planned;
    lat_shape shape = scenes[i].shape;
    char *text = lat_text("operators = ( %s ); action = ( %s );", scenes[i].operators, scenes[i].action);
    counting.allocate = allocate;
    counting.release = release;
    lat_settings_parse(text, "test", &root, &error);
    require(&error);
    lat_action *action = lat_action_read(root, (lat_action_context){scenes[i].group, &shape, NULL, NULL},
                                         lat_action_kinds, lat_dirac_tables, &error);
    require(&error);
    lat_action_shape(action, &shape);
    shape.backend = &counting;
    lat_geometry_plan(MPI_COMM_WORLD, &shape, &planned, &error);
    lat_geometry_create(MPI_COMM_WORLD, &shape, &geometry, &error);
    require(&error);
    lat_gauge *gauge = lat_gauge_create(geometry, scenes[i].group, LAT_DOUBLE);
    lat_field *force = lat_field_algebra(geometry, scenes[i].group, LAT_DOUBLE),
              *density = lat_field_create(geometry, 1, LAT_DOUBLE);
    const double before = counted.peak = counted.held, heap_before = heap();
    use(action, gauge, force, density);
    /* Beside a large piece the heap counts what its alignment leaves: up to a page. */
    const double beside = scenes[i].large * 0x1p21;
    const double taken = action->auxiliary ? counted.peak - before : heap() - heap_before,
                 said = lat_action_memory(action, planned);
    const bool known = action->auxiliary || taken > 0; /* heaps of sanitizers tell nothing */
    ok_all(!known || (said > 0.9 * (taken - beside) && said < 1.1 * taken), "%s: %.4g MiB are said, %.4g taken",
           scenes[i].name, said / 0x1p20, taken / 0x1p20);
    lat_field_free(force);
    lat_field_free(density);
    lat_gauge_free(gauge);
    lat_action_free(action);
    lat_geometry_free(geometry);
    lat_geometry_free(planned);
    lat_settings_free(root);
    free(text);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int i = 0; i < (int)(sizeof scenes / sizeof *scenes); i++) test_scene(i);
    return tap_end();
}
