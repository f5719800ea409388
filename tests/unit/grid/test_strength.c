/* The table of docs/grid.md: what an observer still has to guess. It is computed here from real grids and from the
 * rules that patterns really are judged by, and compared with the page, so that neither can change alone. */
#include "tests/test.h"

#include <math.h>

#include "grid/grid.h"

#define SEED     20261127
#define CELLS    8
#define TRIALS   2000
#define SAMPLES  60    /* of patterns that agree with what was seen, where they are too many to be counted */
#define COUNTED  256   /* at most */
#define BEFORE   50000 /* samples of all patterns */
#define SEEN_MAX 3

static const char *page_path;
static const struct grid_shape shape = {3, 4, 4, "0123456789"};
static const struct grid_rules rules = {.least = CELLS, .in_blocks = 3};
static const uint8_t key[GRID_KEY_SIZE] = "what an observer sees is random";
static struct random_test seed;
static const struct random rng = {random_test_fill, &seed};

static bool is_allowed(const struct grid_pattern *p)
{
    return grid_weaknesses(&shape, &rules, p, NULL, 0) == 0;
}

/* ---- sets of patterns: a set of cells at each place ---- */

struct sets {
    size_t n[CELLS];
    uint8_t cell[CELLS][GRID_CELLS_MAX];
};

static double size_of(const struct sets *s)
{
    double size = 1;
    for (size_t i = 0; i < CELLS; i++)
        size *= (double)s->n[i];
    return size;
}

static struct grid_pattern member(const struct sets *s, size_t number)
{
    struct grid_pattern p = {.n = CELLS};
    for (size_t i = 0; i < CELLS; i++) {
        p.cell[i] = s->cell[i][number % s->n[i]];
        number /= s->n[i];
    }
    return p;
}

static struct grid_pattern drawn(const struct sets *s)
{
    struct grid_pattern p = {.n = CELLS};
    for (size_t i = 0; i < CELLS; i++)
        p.cell[i] = s->cell[i][random_below(&rng, (uint32_t)s->n[i])];
    return p;
}

/* How many of them may be chosen at all. */
static double allowed(const struct sets *s, size_t samples)
{
    const double size = size_of(s);
    const bool all = size <= COUNTED;
    const size_t n = all ? (size_t)size : samples;
    size_t good = 0;
    for (size_t i = 0; i < n; i++) {
        const struct grid_pattern p = all ? member(s, i) : drawn(s);
        good += is_allowed(&p);
    }
    return n == 0 ? 0 : (double)good / (double)n * size;
}

static struct sets everything(void)
{
    struct sets s;
    for (size_t i = 0; i < CELLS; i++) {
        s.n[i] = grid_cells(&shape);
        for (size_t c = 0; c < s.n[i]; c++)
            s.cell[i][c] = (uint8_t)c;
    }
    return s;
}

static void draw(char cells[static GRID_CELLS_MAX + 1])
{
    uint8_t id[GRID_ID_SIZE];
    random_fill(&rng, id, sizeof(id));
    assert_int_equal(grid_draw(key, id, &shape, cells), ERR_OK);
}

/* What stays at each place when this character was typed there. */
static void keep(struct sets *s, const char *cells, const char *typed)
{
    for (size_t i = 0; i < CELLS; i++) {
        size_t n = 0;
        for (size_t k = 0; k < s->n[i]; k++)
            if (cells[s->cell[i][k]] == typed[i])
                s->cell[i][n++] = s->cell[i][k];
        s->n[i] = n;
    }
}

static void read_by(const struct grid_pattern *p, const char *cells, char typed[static CELLS])
{
    for (size_t i = 0; i < CELLS; i++)
        typed[i] = cells[p->cell[i]];
}

/* The likeliest character at each place; of equal ones, one that was not typed yet, since no cell comes twice. */
static void best_guess(const struct sets *s, const char *cells, char typed[static CELLS])
{
    bool used[256] = {false};
    for (size_t i = 0; i < CELLS; i++) {
        size_t count[256] = {0}, best = 0;
        for (size_t k = 0; k < s->n[i]; k++)
            count[(uint8_t)cells[s->cell[i][k]]]++;
        for (size_t c = 0; c < 256; c++)
            if (2 * count[c] + !used[c] > 2 * count[best] + !used[best] || count[best] == 0)
                best = c;
        used[best] = true;
        typed[i] = (char)best;
    }
}

/* ---- an observer ---- */

static double bits[SEEN_MAX + 1], luck[SEEN_MAX + 1];

/* One pattern, and its logins one after the other. */
static void observe(double before)
{
    const struct sets all = everything();
    struct sets left = all;
    struct grid_pattern p = drawn(&all);
    while (!is_allowed(&p))
        p = drawn(&all);
    for (size_t seen = 0; seen <= SEEN_MAX; seen++) {
        char cells[GRID_CELLS_MAX + 1], typed[CELLS];
        draw(cells);
        struct sets lucky = left;
        best_guess(&left, cells, typed);
        keep(&lucky, cells, typed);
        const double patterns = seen == 0 ? before : allowed(&left, SAMPLES);
        bits[seen] += log2(patterns) / TRIALS;
        luck[seen] += allowed(&lucky, SAMPLES) / patterns / TRIALS;
        read_by(&p, cells, typed);
        keep(&left, cells, typed);
    }
}

static int measure(void **state)
{
    (void)state;
    const struct sets all = everything();
    random_test_init(&seed, SEED);
    const double before = allowed(&all, BEFORE);
    for (size_t i = 0; i < TRIALS; i++)
        observe(before);
    print_message("seed %d: %d patterns, each seen in %d logins\n", SEED, TRIALS, SEEN_MAX);
    for (size_t seen = 0; seen <= SEEN_MAX; seen++)
        print_message("%zu seen: %.2f bits, passes 1 in %.3g\n", seen, bits[seen], 1 / luck[seen]);
    return 0;
}

/* ---- the page ---- */

struct row {
    double bits, least, most; /* chance of the next login */
};

/* "38 million", "1,500", "42" */
static double number_of(const char *text)
{
    double value = 0;
    for (; (*text >= '0' && *text <= '9') || *text == ','; text++)
        if (*text != ',')
            value = 10 * value + (*text - '0');
    return strncmp(text, " million", 8) == 0 ? 1e6 * value : value;
}

/* | 2 logins | 2.1 | 33 in 100 |: the last figure is rounded, so the truth lies half a unit around it, and for "1 in N"
 * within a fifth. */
static struct row row_of(const char *page, const char *title)
{
    char head[32];
    struct row row = {0};
    snprintf(head, sizeof(head), "\n| %s | ", title);
    const char *at = strstr(page, head), *in;
    if (at == NULL)
        fail_msg("docs/grid.md has no row \"%s\"", title);
    row.bits = strtod(at + strlen(head), NULL);
    at = strstr(at + strlen(head), "| ") + 2;
    in = strstr(at, " in ");
    assert_non_null(in);
    const double first = number_of(at), of = number_of(in + 4);
    if (first == 1) {
        row.least = 1 / (1.2 * of);
        row.most = 1.2 / of;
    } else {
        row.least = (first - 1) / of;
        row.most = (first + 1) / of;
    }
    return row;
}

static void the_page_says_what_an_observer_really_has_to_guess(void **state)
{
    (void)state;
    static const char *const titles[] = {"nothing", "1 login", "2 logins", "3 logins"};
    static char page[1 << 16];
    FILE *f = fopen(page_path, "r");
    assert_non_null(f);
    const size_t n = fread(page, 1, sizeof(page) - 1, f);
    fclose(f);
    page[n] = '\0';
    for (size_t seen = 0; seen <= SEEN_MAX; seen++) {
        const struct row row = row_of(page, titles[seen]);
        if (fabs(row.bits - bits[seen]) > 0.15) /* half a unit, and chance */
            fail_msg("%s: %.1f bits on the page, %.2f in truth", titles[seen], row.bits, bits[seen]);
        if (luck[seen] < row.least || luck[seen] > row.most)
            fail_msg("%s: on the page between 1 in %.3g and 1 in %.3g, in truth 1 in %.3g", titles[seen], 1 / row.most,
                     1 / row.least, 1 / luck[seen]);
    }
}

/* The bits that users and administrators are shown, which leave the rules out. */
static void so_does_the_program(void **state)
{
    (void)state;
    for (uint32_t seen = 0; seen <= SEEN_MAX; seen++) {
        const double told = grid_bits_left(&shape, CELLS, seen) / 10.0;
        if (told < bits[seen] - 0.15 || told > bits[seen] + 1.5)
            fail_msg("%u seen: %.1f bits are told, %.2f are true", seen, told, bits[seen]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_says_what_an_observer_really_has_to_guess),
        cmocka_unit_test(so_does_the_program),
    };
    if (argc != 2)
        return 2;
    page_path = argv[1];
    return cmocka_run_group_tests(tests, measure, NULL);
}
