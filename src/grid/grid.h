/*
 * Grid authentication (グリッド認証): a person remembers a pattern, an ordered choice of cells; a grid of characters is
 * drawn anew for each login, and the characters on those cells are the password, good once.
 *
 * This is the arithmetic alone: drawing, reading, judging a pattern. Who may have which grid, and for how long, is the
 * business of aaa. Pure; everything but the shape, the drawn cells and the verdicts on a pattern is secret, and its
 * owner wipes it.
 */
#ifndef SEKISHO_GRID_H
#define SEKISHO_GRID_H

#include "crypto/crypto.h"

#define GRID_BLOCKS_MAX   4
#define GRID_SIDE_MIN     2
#define GRID_SIDE_MAX     6 /* rows, or columns, of a block */
#define GRID_CELLS_MIN    16
#define GRID_CELLS_MAX    100
#define GRID_ALPHABET_MIN 8
#define GRID_ALPHABET_MAX 32
#define GRID_PATTERN_MIN  4
#define GRID_PATTERN_MAX  16
#define GRID_PHRASE_MAX   32 /* bytes of the fixed phrase */
#define GRID_FORMER_MAX   3  /* patterns that the next one may not be like */
#define GRID_KEY_SIZE     32
#define GRID_ID_SIZE      16
#define GRID_CODE_SIZE    (2 * GRID_ID_SIZE + 1)                   /* bytes of an id as text, with NUL */
#define GRID_ANSWER_MAX   (GRID_PATTERN_MAX + GRID_PHRASE_MAX + 1) /* bytes of a password read from a grid, with NUL */
#define GRID_TEXT_MAX     224                                      /* bytes of any grid drawn as text, with NUL */
#define GRID_BLOB_MAX     128                                      /* bytes of a packed secret */
#define GRID_QUESTION_MAX 96                                       /* bytes of what is asked below a grid, with NUL */
#define GRID_PROMPT_MAX   416                                      /* bytes of a grid as a question, with NUL */

/* ---- the shape ---- */

/* Blocks stand side by side. A cell's number is block * rows * columns + row * columns + column. */
struct grid_shape {
    uint8_t blocks, rows, columns;
    char alphabet[GRID_ALPHABET_MAX + 1];
};

/* Sides and cells within the bounds above; the alphabet holds distinct printable characters without blanks, at most one
 * for two cells. */
bool grid_shape_valid(const struct grid_shape *shape);
size_t grid_cells(const struct grid_shape *shape);

/* ---- a grid ---- */

/* The grid of this id under this key: cell after cell. Whoever has the key can draw it again. Every character of the
 * alphabet has the same number of cells, or one more; which cells, is uniformly random to all others. */
enum err grid_draw(const uint8_t key[static GRID_KEY_SIZE], const uint8_t id[static GRID_ID_SIZE],
                   const struct grid_shape *shape, char cells[static GRID_CELLS_MAX + 1]);
/* A number from 10 to 99 to tell this grid from others that are open at the same time. */
unsigned grid_number(const uint8_t key[static GRID_KEY_SIZE], const uint8_t id[static GRID_ID_SIZE]);

void grid_code_text(const uint8_t id[static GRID_ID_SIZE], char out[static GRID_CODE_SIZE]);
enum err grid_code_parse(const char *text, uint8_t id[static GRID_ID_SIZE]);

/* Rows of the grid, a line each. cells NULL: the cells' numbers in place of characters. Returns its length; cut where
 * cap ends. GRID_TEXT_MAX holds every grid of characters. */
size_t grid_text(const struct grid_shape *shape, const char *cells, char *out, size_t cap);

/* ---- a grid as a question ---- */

/* What a server asks in band. The policy in it is the server's for everybody, and tells nothing of the user. */
struct grid_prompt {
    struct grid_shape shape; /* its alphabet is not told: "" when read */
    unsigned number;
    uint32_t life;          /* seconds that the grid is good */
    uint32_t back, longest; /* seconds after a loss, and after the login, that its answer is taken again; 0: never */
    char question[GRID_QUESTION_MAX]; /* one printable line, without a blank at its end */
    char cells[GRID_CELLS_MAX + 1];
};

/* Returns the length. */
size_t grid_prompt_write(const struct grid_prompt *prompt, char out[static GRID_PROMPT_MAX]);
/* ERR_MALFORMED: it is not of this form, and may be any other question. */
enum err grid_prompt_parse(struct view text, struct grid_prompt *out);

/* ---- a pattern ---- */

struct grid_pattern {
    uint8_t n;
    uint8_t cell[GRID_PATTERN_MAX];
};

/* Numbers with commas or blanks between. ERR_MALFORMED; ERR_LIMIT: too many; ERR_INVALID: no such cell. */
enum err grid_pattern_parse(const char *text, const struct grid_shape *shape, struct grid_pattern *out);

enum grid_weakness {
#define GRID_WEAKNESS(name, word, sentence) GRID_WEAK_##name,
#include "grid/weakness.def"
#undef GRID_WEAKNESS
    GRID_WEAKNESS_COUNT
};
const char *grid_weakness_word(enum grid_weakness w);
const char *grid_weakness_sentence(enum grid_weakness w);

struct grid_rules {
    uint8_t least;     /* cells of a pattern */
    uint8_t in_blocks; /* blocks that it has to touch */
    bool repeats;      /* may come back to a cell */
};

/* The set of all weaknesses, 1 << GRID_WEAK_...; 0: none. former are patterns that this one may not be like. */
uint32_t grid_weaknesses(const struct grid_shape *shape, const struct grid_rules *rules,
                         const struct grid_pattern *pattern, const struct grid_pattern *former, size_t former_n);
/* How many guesses somebody needs at most who knows how people draw: neighbours and straight lines first. Stops at
 * UINT64_MAX. */
uint64_t grid_guesses(const struct grid_shape *shape, const struct grid_pattern *pattern);
/* Tenths of bits that are left to guess, on average, of a uniformly random pattern of n cells after so many (grid,
 * answer) pairs were seen. Patterns that no rule allows count too: before any was seen that is a bit too much. */
unsigned grid_bits_left(const struct grid_shape *shape, uint8_t n, uint32_t seen);

/* ---- what is kept of a user ---- */

struct grid_secret {
    uint8_t blocks, rows, columns; /* of the grids that the pattern was made for */
    bool after;                    /* the phrase is typed after the characters, not before */
    struct grid_pattern pattern;
    struct grid_pattern former[GRID_FORMER_MAX]; /* newest first */
    uint8_t former_n;
    uint8_t phrase_n;
    char phrase[GRID_PHRASE_MAX];
};

/* Whether the pattern can be read from grids of this shape. */
bool grid_secret_fits(const struct grid_secret *secret, const struct grid_shape *shape);
/* Makes the pattern the newest of the former ones, and takes the other. */
void grid_secret_renew(struct grid_secret *secret, const struct grid_shape *shape, const struct grid_pattern *pattern);
/* The password that the grid demands; returns its length, out ends with NUL. The secret fits the grid's shape. */
size_t grid_answer(const struct grid_secret *secret, const char *cells, char out[static GRID_ANSWER_MAX]);

/* Returns the length. */
size_t grid_secret_pack(const struct grid_secret *secret, uint8_t out[static GRID_BLOB_MAX]);
enum err grid_secret_parse(struct view blob, struct grid_secret *out);

#endif
