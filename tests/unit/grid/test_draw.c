/* Grids: balanced, uniform, never the same, and redrawn by whoever has the key. */
#include "tests/test.h"

#include <math.h>

#include "grid/grid.h"

static const struct grid_shape standard = {3, 4, 4, "0123456789"};
static const uint8_t key[GRID_KEY_SIZE] = "a key of thirty-two bytes, here";

static void id_of(uint64_t number, uint8_t id[static GRID_ID_SIZE])
{
    struct writer w = wr_init(id, GRID_ID_SIZE);
    wr_u64(&w, 0);
    wr_u64(&w, number);
}

static void the_same_id_draws_the_same_grid_and_another_draws_another(void **state)
{
    (void)state;
    uint8_t id[GRID_ID_SIZE], other_key[GRID_KEY_SIZE] = "another key of thirty-two bytes";
    char a[GRID_CELLS_MAX + 1], b[GRID_CELLS_MAX + 1], c[GRID_CELLS_MAX + 1];
    id_of(1, id);
    assert_int_equal(grid_draw(key, id, &standard, a), ERR_OK);
    assert_int_equal(grid_draw(key, id, &standard, b), ERR_OK);
    assert_string_equal(a, b);
    assert_int_equal(grid_draw(other_key, id, &standard, c), ERR_OK);
    assert_string_not_equal(a, c);
    id_of(2, id);
    assert_int_equal(grid_draw(key, id, &standard, c), ERR_OK);
    assert_string_not_equal(a, c);
}

static void every_digit_has_four_or_five_of_forty_eight_cells(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        uint8_t id[GRID_ID_SIZE];
        char cells[GRID_CELLS_MAX + 1];
        size_t count[10] = {0}, fives = 0;
        id_of(i, id);
        assert_int_equal(grid_draw(key, id, &standard, cells), ERR_OK);
        assert_int_equal(strlen(cells), 48);
        for (size_t cell = 0; cell < 48; cell++)
            count[cells[cell] - '0']++;
        for (size_t digit = 0; digit < 10; digit++) {
            assert_in_range(count[digit], 4, 5);
            fives += count[digit] == 5;
        }
        assert_int_equal(fives, 8);
    }
}

/* ---- uniform ---- */

#define GRIDS 20000

/* Of all sizes and alphabets: the default, the smallest, the largest, those that do not divide evenly. */
static const struct grid_shape shapes[] = {
    {3, 4, 4, "0123456789"},       {1, 4, 4, "01234567"},
    {4, 2, 2, "abcdefgh"},         {4, 5, 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"},
    {1, 6, 6, "0123456789abcdef"}, {2, 3, 5, "123456789ABC"},
    {1, 5, 5, "23456789"},
};

/* Chi-squared of so many degrees of freedom is larger than this once in 100 million times by chance (Wilson and
 * Hilferty): some 2,000 are looked at here, and the seeds are fixed. */
static double bound(size_t degrees)
{
    const double part = 2.0 / (9.0 * (double)degrees), base = 1 - part + 5.61 * sqrt(part);
    return (double)degrees * base * base * base;
}

static uint8_t letter_of[256];

/* What is looked at: single cells, pairs of cells of one grid, and a cell in one grid and in the next. */
static uint32_t single[GRID_CELLS_MAX][GRID_ALPHABET_MAX];
static uint32_t paired[2][GRID_ALPHABET_MAX][GRID_ALPHABET_MAX];
static uint32_t next[GRID_ALPHABET_MAX][GRID_ALPHABET_MAX];

static void count(const struct grid_shape *shape, const size_t pairs[static 2])
{
    char cells[GRID_CELLS_MAX + 1], before[GRID_CELLS_MAX + 1] = "";
    memset(single, 0, sizeof(single));
    memset(paired, 0, sizeof(paired));
    memset(next, 0, sizeof(next));
    for (size_t i = 0; shape->alphabet[i] != '\0'; i++)
        letter_of[(uint8_t)shape->alphabet[i]] = (uint8_t)i;
    for (uint64_t i = 0; i < GRIDS; i++) {
        uint8_t id[GRID_ID_SIZE];
        id_of(i, id);
        assert_int_equal(grid_draw(key, id, shape, cells), ERR_OK);
        for (size_t cell = 0; cell < grid_cells(shape); cell++)
            single[cell][letter_of[(uint8_t)cells[cell]]]++;
        for (size_t p = 0; p < 2; p++)
            paired[p][letter_of[(uint8_t)cells[0]]][letter_of[(uint8_t)cells[pairs[p]]]]++;
        if (i > 0)
            next[letter_of[(uint8_t)before[0]]][letter_of[(uint8_t)cells[0]]]++;
        memcpy(before, cells, sizeof(before));
    }
}

static double deviation(uint32_t got, double want)
{
    const double d = got - want;
    return d * d / want;
}

static void each_cell_has_each_character_equally_often(void **state)
{
    (void)state;
    print_message("key \"%s\", ids 0 to %d\n", (const char *)key, GRIDS - 1);
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        const size_t letters = strlen(shapes[s].alphabet);
        assert_true(grid_shape_valid(&shapes[s]));
        count(&shapes[s], (const size_t[]){1, 2});
        for (size_t cell = 0; cell < grid_cells(&shapes[s]); cell++) {
            double chi = 0;
            for (size_t letter = 0; letter < letters; letter++)
                chi += deviation(single[cell][letter], GRIDS / (double)letters);
            if (chi > bound(letters - 1))
                fail_msg("shape %zu, cell %zu: %.1f", s, cell, chi);
        }
    }
}

/* As independent as cells of a balanced grid can be: that two are the same is a little rarer than by chance alone, by
 * exactly so much, and which they are tells nothing. The neighbour beside, and the one below. */
static void a_cell_tells_nothing_of_its_neighbours(void **state)
{
    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        const size_t letters = strlen(shapes[s].alphabet), cells = grid_cells(&shapes[s]);
        const size_t few = cells / letters, rich = cells % letters;
        const double pairs = (double)(rich * (few + 1) * few + (letters - rich) * few * (few - 1));
        const double same = pairs / (double)(cells * (cells - 1)) / (double)letters;
        const double other = (1 - same * (double)letters) / (double)(letters * (letters - 1));
        count(&shapes[s], (const size_t[]){1, shapes[s].columns});
        for (size_t p = 0; p < 2; p++) {
            double chi = 0;
            for (size_t a = 0; a < letters; a++)
                for (size_t b = 0; b < letters; b++)
                    chi += deviation(paired[p][a][b], GRIDS * (a == b ? same : other));
            if (chi > bound(letters * letters - 1))
                fail_msg("shape %zu, pair %zu: %.1f", s, p, chi);
        }
    }
}

static void a_grid_tells_nothing_of_the_next(void **state)
{
    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        const size_t letters = strlen(shapes[s].alphabet);
        double chi = 0;
        count(&shapes[s], (const size_t[]){1, 2});
        for (size_t a = 0; a < letters; a++)
            for (size_t b = 0; b < letters; b++)
                chi += deviation(next[a][b], (GRIDS - 1) / (double)(letters * letters));
        if (chi > bound(letters * letters - 1))
            fail_msg("shape %zu: %.1f", s, chi);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 48);
}

static void no_grid_comes_twice(void **state)
{
    (void)state;
    static char grids[GRIDS][GRID_CELLS_MAX + 1];
    for (uint64_t i = 0; i < GRIDS; i++) {
        uint8_t id[GRID_ID_SIZE];
        id_of(i, id);
        assert_int_equal(grid_draw(key, id, &standard, grids[i]), ERR_OK);
    }
    qsort(grids, GRIDS, sizeof(grids[0]), by_bytes);
    for (size_t i = 1; i < GRIDS; i++)
        assert_string_not_equal(grids[i - 1], grids[i]);
}

static void numbers_have_two_digits_and_all_occur(void **state)
{
    (void)state;
    bool seen[100] = {false};
    size_t n = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        uint8_t id[GRID_ID_SIZE];
        id_of(i, id);
        const unsigned number = grid_number(key, id);
        assert_in_range(number, 10, 99);
        n += !seen[number];
        seen[number] = true;
    }
    assert_int_equal(n, 90);
}

static void a_code_is_read_back_and_nothing_else_is(void **state)
{
    (void)state;
    uint8_t id[GRID_ID_SIZE], back[GRID_ID_SIZE];
    char text[GRID_CODE_SIZE];
    id_of(0xfedcba9876543210, id);
    grid_code_text(id, text);
    assert_string_equal(text, "0000000000000000fedcba9876543210");
    assert_int_equal(grid_code_parse(text, back), ERR_OK);
    assert_memory_equal(id, back, sizeof(id));
    assert_int_equal(grid_code_parse("", back), ERR_MALFORMED);
    assert_int_equal(grid_code_parse("0000000000000000fedcba987654321", back), ERR_MALFORMED);
    assert_int_equal(grid_code_parse("0000000000000000fedcba98765432100", back), ERR_MALFORMED);
    assert_int_equal(grid_code_parse("0000000000000000FEDCBA9876543210", back), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_id_draws_the_same_grid_and_another_draws_another),
        cmocka_unit_test(every_digit_has_four_or_five_of_forty_eight_cells),
        cmocka_unit_test(each_cell_has_each_character_equally_often),
        cmocka_unit_test(a_cell_tells_nothing_of_its_neighbours),
        cmocka_unit_test(a_grid_tells_nothing_of_the_next),
        cmocka_unit_test(no_grid_comes_twice),
        cmocka_unit_test(numbers_have_two_digits_and_all_occur),
        cmocka_unit_test(a_code_is_read_back_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
