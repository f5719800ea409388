/*
 * Patterns: reading one, and how hard it is to guess. People choose few shapes (about a tenth of the unlock patterns of
 * phones fall in 16 guesses), so the shapes that they choose are refused, and strength is counted in the guesses of
 * somebody who knows that.
 */
#include "grid/grid_internal.h"

#include <stdlib.h>
#include <string.h>

#define NEIGHBOURS    8
#define SAME_WAY      2          /* on as before, or not */
#define GUESSES_LEAST 1000000000 /* below, a pattern is too easy */

static const struct {
    const char *word, *sentence;
} weaknesses[GRID_WEAKNESS_COUNT] = {
#define GRID_WEAKNESS(name, word, sentence) {word, sentence},
#include "grid/weakness.def"
#undef GRID_WEAKNESS
};

const char *grid_weakness_word(enum grid_weakness w)
{
    return w < GRID_WEAKNESS_COUNT ? weaknesses[w].word : "unknown";
}

const char *grid_weakness_sentence(enum grid_weakness w)
{
    return w < GRID_WEAKNESS_COUNT ? weaknesses[w].sentence : "";
}

/* ---- reading ---- */

enum err grid_pattern_parse(const char *text, const struct grid_shape *shape, struct grid_pattern *out)
{
    struct grid_pattern read = {0};
    const char *p = text + strspn(text, ", ");
    while (*p != '\0') {
        char *end;
        if (*p < '0' || *p > '9')
            return ERR_MALFORMED;
        const unsigned long cell = strtoul(p, &end, 10);
        if (*end != '\0' && *end != ',' && *end != ' ')
            return ERR_MALFORMED;
        if (cell >= grid_cells(shape))
            return ERR_INVALID;
        if (read.n == GRID_PATTERN_MAX)
            return ERR_LIMIT;
        read.cell[read.n++] = (uint8_t)cell;
        p = end + strspn(end, ", ");
    }
    if (read.n == 0)
        return ERR_MALFORMED;
    *out = read;
    bytes_wipe(&read, sizeof(read));
    return ERR_OK;
}

/* ---- weaknesses ---- */

static bool has_repeats(const struct grid_pattern *p)
{
    for (size_t i = 1; i < p->n; i++)
        if (memchr(p->cell, p->cell[i], i) != NULL)
            return true;
    return false;
}

static bool is_one_cell(const struct grid_pattern *p)
{
    for (size_t i = 1; i < p->n; i++)
        if (p->cell[i] != p->cell[0])
            return false;
    return true;
}

static size_t blocks_touched(const struct grid_shape *shape, const struct grid_pattern *p)
{
    uint32_t set = 0;
    for (size_t i = 0; i < p->n; i++)
        set |= 1u << block_of(shape, p->cell[i]);
    return (size_t)__builtin_popcount(set);
}

static struct place step_at(const struct grid_shape *shape, const struct grid_pattern *p, size_t i)
{
    const struct place from = place_in_plane(shape, p->cell[i - 1]), to = place_in_plane(shape, p->cell[i]);
    return (struct place){to.x - from.x, to.y - from.y};
}

static bool is_near(struct place step)
{
    return abs(step.x) <= 1 && abs(step.y) <= 1;
}

static bool is_stroke(const struct grid_shape *shape, const struct grid_pattern *p)
{
    for (size_t i = 1; i < p->n; i++)
        if (!is_near(step_at(shape, p, i)))
            return false;
    return true;
}

/* The most cells in a row that are one step apart, always the same. */
static size_t longest_line(const struct grid_shape *shape, const struct grid_pattern *p)
{
    size_t run = 1, longest = 1;
    struct place before = {0};
    for (size_t i = 1; i < p->n; i++) {
        const struct place step = step_at(shape, p, i);
        run = i > 1 && step.x == before.x && step.y == before.y ? run + 1 : 2;
        longest = run > longest ? run : longest;
        before = step;
    }
    return longest;
}

static size_t part_of(const struct grid_shape *shape, const struct grid_pattern *p, uint8_t block,
                      struct place out[static GRID_PATTERN_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (block_of(shape, p->cell[i]) == block)
            out[n++] = place_in_block(shape, p->cell[i]);
    return n;
}

#define PART_LEAST 3 /* cells of a block that make a shape */

static bool is_made_of_familiar(const struct grid_shape *shape, const struct grid_pattern *p)
{
    struct place part[GRID_PATTERN_MAX];
    bool any = false;
    for (uint8_t block = 0; block < shape->blocks; block++) {
        const size_t n = part_of(shape, p, block, part);
        if (n < PART_LEAST)
            continue;
        if (!is_familiar(part, n))
            return false;
        any = true;
    }
    return any;
}

static bool is_same_in_blocks(const struct grid_shape *shape, const struct grid_pattern *p)
{
    struct place first[GRID_PATTERN_MAX], part[GRID_PATTERN_MAX];
    size_t first_n = 0, same = 0;
    for (uint8_t block = 0; block < shape->blocks; block++) {
        const size_t n = part_of(shape, p, block, part);
        if (n == 0)
            continue;
        if (same++ == 0) {
            first_n = n;
            memcpy(first, part, sizeof(first));
        } else if (n != first_n || memcmp(first, part, n * sizeof(part[0])) != 0) {
            return false;
        }
    }
    return same > 1 && first_n > 1;
}

static bool is_like_any(const struct grid_shape *shape, const struct grid_pattern *p, const struct grid_pattern *former,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_like(shape, p, &former[i]))
            return true;
    return false;
}

uint32_t grid_weaknesses(const struct grid_shape *shape, const struct grid_rules *rules,
                         const struct grid_pattern *pattern, const struct grid_pattern *former, size_t former_n)
{
    const bool found[GRID_WEAKNESS_COUNT] = {
        [GRID_WEAK_SHORT] = pattern->n < rules->least,
        [GRID_WEAK_ONE_CELL] = is_one_cell(pattern),
        [GRID_WEAK_REPEATED] = !rules->repeats && has_repeats(pattern),
        [GRID_WEAK_BLOCKS] = blocks_touched(shape, pattern) < rules->in_blocks,
        [GRID_WEAK_LINE] = 2 * longest_line(shape, pattern) > pattern->n,
        [GRID_WEAK_STROKE] = is_stroke(shape, pattern),
        [GRID_WEAK_FAMILIAR] = is_made_of_familiar(shape, pattern),
        [GRID_WEAK_SAME] = is_same_in_blocks(shape, pattern),
        [GRID_WEAK_FORMER] = is_like_any(shape, pattern, former, former_n),
        [GRID_WEAK_EASY] = grid_guesses(shape, pattern) < GUESSES_LEAST,
    };
    uint32_t set = 0;
    for (size_t i = 0; i < GRID_WEAKNESS_COUNT; i++)
        set |= found[i] ? 1u << i : 0;
    return set;
}

/* ---- strength ---- */

uint64_t grid_guesses(const struct grid_shape *shape, const struct grid_pattern *pattern)
{
    uint64_t guesses = grid_cells(shape);
    for (size_t i = 1; i < pattern->n; i++) {
        const struct place step = step_at(shape, pattern, i);
        const struct place before = i > 1 ? step_at(shape, pattern, i - 1) : (struct place){0};
        const bool on = i > 1 && step.x == before.x && step.y == before.y;
        const uint64_t choices = on ? SAME_WAY : is_near(step) ? NEIGHBOURS : grid_cells(shape);
        if (__builtin_mul_overflow(guesses, choices, &guesses))
            return UINT64_MAX;
    }
    return guesses;
}

#define ONE_SHIFT 24 /* of fixed-point numbers */
#define ONE       ((uint64_t)1 << ONE_SHIFT)

/* The binary logarithm of a whole number of at least one. */
static double log_of(uint64_t number)
{
    uint64_t log = 0, value = number << ONE_SHIFT; /* fixed point, as log is */
    for (; value >= 2 * ONE; value >>= 1)
        log += ONE;
    for (uint64_t bit = ONE >> 1; bit > 0; bit >>= 1) {
        value = value * value >> ONE_SHIFT;
        if (value >= 2 * ONE) {
            value >>= 1;
            log += bit;
        }
    }
    return (double)log / (double)ONE;
}

/* What is to be expected of log(1 + j), where j of n others stay, each by this chance. */
static double log_of_rest(size_t n, double chance)
{
    double sum = 0, likely = 1, gone = 1;
    for (size_t i = 0; i < n; i++)
        gone *= 1 - chance;
    if (gone == 0)
        return log_of(1 + n);
    for (size_t j = 0; j <= n; j++) {
        sum += likely * gone * log_of(1 + j);
        likely *= (double)(n - j) / (double)(j + 1) * chance / (1 - chance);
    }
    return sum;
}

/* The first grid leaves, at each place of the pattern, the cells with the character that was typed: as many as it has
 * in a balanced grid. Each further one leaves the true cell, and of the others those that happen to agree again. */
unsigned grid_bits_left(const struct grid_shape *shape, uint8_t n, uint32_t seen)
{
    const size_t cells = grid_cells(shape), letters = strlen(shape->alphabet);
    const size_t few = cells / letters, rich = cells % letters; /* so many letters have one cell more */
    const double pairs = (double)(rich * (few + 1) * few + (letters - rich) * few * (few - 1));
    const double same = pairs / (double)(cells * (cells - 1)); /* that another cell has the same character */
    const double in_rich = (double)(rich * (few + 1)) / (double)cells;
    double chance = 1;
    if (seen == 0)
        return (unsigned)(10 * n * log_of(cells) + 0.5);
    for (uint32_t i = 1; i < seen && chance > 0; i++)
        chance *= same;
    const double log = in_rich * log_of_rest(few, chance) + (1 - in_rich) * log_of_rest(few - 1, chance);
    return (unsigned)(10 * n * log + 0.5);
}
