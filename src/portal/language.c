/* What the pages say, in each language; and which language a browser wants. */
#include "portal/portal_internal.h"

#include <string.h>

static const char *const messages[SAY_COUNT][LANGUAGE_COUNT] = {
#define MESSAGE(name, en, ja) {en, ja},
#include "portal/messages.def"
#undef MESSAGE
};

static const char *const words[LANGUAGE_COUNT] = {"en", "ja"};

const char *message_text(enum message m, enum language l)
{
    return m < SAY_COUNT && l < LANGUAGE_COUNT ? messages[m][l] : "";
}

const char *language_word(enum language l)
{
    return l < LANGUAGE_COUNT ? words[l] : "en";
}

bool language_read(struct view word, enum language *out)
{
    for (int i = 0; i < LANGUAGE_COUNT; i++)
        if (view_equal(word, view_str(words[i]))) {
            *out = (enum language)i;
            return true;
        }
    return false;
}

/* A range of the header without its blanks: "ja-JP;q=0.8". */
static struct view next_range(struct reader *r)
{
    struct reader ahead;
    size_t n = 0;
    while (rd_left(r) > 0 && (*r->p == ' ' || *r->p == '\t' || *r->p == ','))
        rd_skip(r, 1);
    for (ahead = *r; rd_left(&ahead) > 0 && rd_u8(&ahead) != ',';)
        n++;
    return rd_view(r, n);
}

/* Thousandths of the weight; 1000 when none is given. */
static unsigned weight_of(struct reader *r)
{
    unsigned weight = 0, scale = 1000;
    while (rd_left(r) > 0 && rd_u8(r) != '=')
        ;
    if (rd_left(r) == 0)
        return 1000;
    while (rd_left(r) > 0 && scale > 0) {
        const uint8_t c = rd_u8(r);
        if (c >= '0' && c <= '9') {
            weight += (unsigned)(c - '0') * scale;
            scale /= 10;
        }
    }
    return weight;
}

enum language language_accepted(struct view header)
{
    enum language best = LANGUAGE_EN, l;
    unsigned most = 0;
    struct reader r = rd_init(header);
    while (rd_left(&r) > 0) {
        struct reader range = rd_init(next_range(&r));
        const struct view primary = rd_view(&range, 2);
        const uint8_t behind = rd_left(&range) > 0 ? *range.p : '-';
        if (!rd_ok(&range) || (behind != '-' && behind != ';' && behind != ' ') || !language_read(primary, &l))
            continue;
        const unsigned weight = weight_of(&range);
        if (weight > most) {
            most = weight;
            best = l;
        }
    }
    return best;
}

/* ---- what the gateway tells by words ---- */

struct saying {
    const char *word, *why, *cure;
};

static const struct saying causes_ja[] = {
#define CAUSE_JA(word, why, cure) {word, why, cure},
#define STAGE_JA(word, sentence)
#include "portal/causes_ja.def"
#undef CAUSE_JA
#undef STAGE_JA
};

static const struct saying stages_ja[] = {
#define CAUSE_JA(word, why, cure)
#define STAGE_JA(word, sentence) {word, sentence, ""},
#include "portal/causes_ja.def"
#undef CAUSE_JA
#undef STAGE_JA
};

static const struct saying weaknesses_ja[] = {
#define WEAKNESS_JA(word, sentence) {word, sentence, ""},
#include "portal/weakness_ja.def"
#undef WEAKNESS_JA
};

static const struct saying told_ja[] = {
#define TELL_JA(word, text) {word, text, ""},
#include "portal/told_ja.def"
#undef TELL_JA
};

static const struct saying *find(const struct saying *list, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].word, word) == 0)
            return &list[i];
    return NULL;
}

const char *cause_told(const char *word, enum language l, const char *english)
{
    const struct saying *t = l == LANGUAGE_JA ? find(causes_ja, ARRAY_LEN(causes_ja), word) : NULL;
    return t != NULL ? t->why : english;
}

const char *cure_told(const char *word, enum language l, const char *english)
{
    const struct saying *t = l == LANGUAGE_JA ? find(causes_ja, ARRAY_LEN(causes_ja), word) : NULL;
    return t != NULL ? t->cure : english;
}

const char *stage_told(const char *word, enum language l, const char *english)
{
    const struct saying *t = l == LANGUAGE_JA ? find(stages_ja, ARRAY_LEN(stages_ja), word) : NULL;
    return t != NULL ? t->why : english;
}

const char *weakness_told(const char *word, enum language l, const char *english)
{
    const struct saying *t = l == LANGUAGE_JA ? find(weaknesses_ja, ARRAY_LEN(weaknesses_ja), word) : NULL;
    return t != NULL ? t->why : english;
}

const char *told_text(const char *word, enum language l)
{
    const struct saying *t = l == LANGUAGE_JA ? find(told_ja, ARRAY_LEN(told_ja), word) : NULL;
    if (t == NULL && l == LANGUAGE_JA)
        t = find(causes_ja, ARRAY_LEN(causes_ja), word);
    return t != NULL ? t->why : NULL;
}
