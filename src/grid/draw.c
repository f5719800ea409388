/*
 * A grid from its id and a key. HMAC-SHA-256 in counter mode is the source of randomness; the characters are laid out
 * evenly and shuffled by Fisher and Yates, with indices drawn without bias. Nothing of any pattern goes in.
 */
#include "grid/grid.h"

#include <string.h>

#define PURPOSE_CELLS  "sekisho grid cells"
#define PURPOSE_NUMBER "sekisho grid number"
#define NUMBER_FIRST   10
#define NUMBERS        90

struct stream {
    const uint8_t *key, *id;
    const char *purpose;
    const struct grid_shape *shape; /* NULL: none */
    uint32_t counter;
    uint8_t block[32];
    size_t left;
    enum err result;
};

static void refill(struct stream *s)
{
    uint8_t counter[4], sides[3] = {0};
    struct writer w = wr_init(counter, sizeof(counter));
    wr_u32(&w, s->counter++);
    if (s->shape != NULL)
        memcpy(sides, (uint8_t[]){s->shape->blocks, s->shape->rows, s->shape->columns}, sizeof(sides));
    const struct view parts[] = {view_str(s->purpose), view_of(s->id, GRID_ID_SIZE), VIEW(counter), VIEW(sides),
                                 s->shape != NULL ? view_str(s->shape->alphabet) : VIEW_NONE};
    const enum err result = hmac_digest(HASH_SHA256, view_of(s->key, GRID_KEY_SIZE), parts, ARRAY_LEN(parts), s->block);
    if (result != ERR_OK)
        s->result = result;
    s->left = sizeof(s->block);
}

static uint8_t next(struct stream *s)
{
    if (s->left == 0)
        refill(s);
    return s->block[sizeof(s->block) - s->left--];
}

/* Uniform in [0, bound), bound at most 256: what lies past the last whole multiple is drawn again. */
static size_t below(struct stream *s, size_t bound)
{
    const size_t whole = 256 / bound * bound;
    size_t value = next(s);
    while (value >= whole && s->result == ERR_OK)
        value = next(s);
    return value % bound;
}

static void shuffle(struct stream *s, char *p, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = below(s, i);
        const char kept = p[i - 1];
        p[i - 1] = p[j];
        p[j] = kept;
    }
}

/* Which characters have one cell more than the others is random too. */
enum err grid_draw(const uint8_t key[static GRID_KEY_SIZE], const uint8_t id[static GRID_ID_SIZE],
                   const struct grid_shape *shape, char cells[static GRID_CELLS_MAX + 1])
{
    struct stream s = {.key = key, .id = id, .purpose = PURPOSE_CELLS, .shape = shape};
    char alphabet[GRID_ALPHABET_MAX];
    const size_t n = grid_cells(shape), letters = strlen(shape->alphabet);
    memcpy(alphabet, shape->alphabet, letters);
    shuffle(&s, alphabet, letters);
    for (size_t i = 0; i < n; i++)
        cells[i] = alphabet[i % letters];
    cells[n] = '\0';
    shuffle(&s, cells, n);
    const enum err result = s.result;
    bytes_wipe(&s, sizeof(s));
    bytes_wipe(alphabet, sizeof(alphabet));
    return result;
}

unsigned grid_number(const uint8_t key[static GRID_KEY_SIZE], const uint8_t id[static GRID_ID_SIZE])
{
    struct stream s = {.key = key, .id = id, .purpose = PURPOSE_NUMBER};
    return NUMBER_FIRST + (unsigned)below(&s, NUMBERS);
}

/* ---- the id as text ---- */

void grid_code_text(const uint8_t id[static GRID_ID_SIZE], char out[static GRID_CODE_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < GRID_ID_SIZE; i++) {
        out[2 * i] = digits[id[i] >> 4];
        out[2 * i + 1] = digits[id[i] & 15];
    }
    out[GRID_CODE_SIZE - 1] = '\0';
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err grid_code_parse(const char *text, uint8_t id[static GRID_ID_SIZE])
{
    uint8_t read[GRID_ID_SIZE];
    if (strnlen(text, GRID_CODE_SIZE) != GRID_CODE_SIZE - 1)
        return ERR_MALFORMED;
    for (size_t i = 0; i < GRID_ID_SIZE; i++) {
        const int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return ERR_MALFORMED;
        read[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(id, read, sizeof(read));
    return ERR_OK;
}
