/* The schema table, from its one list. */
#include "config/config_internal.h"

#include <stdio.h>
#include <string.h>

static const struct schema_section sections[SECTION_COUNT] = {
#define SECTION(id, word, titled, sentence) {word, titled, sentence},
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)
#include "config/schema.def"
#undef SECTION
#undef KEY
};

/* Which struct the fields of a section are in. */
#define BASE_TOP     struct config
#define BASE_IKE     struct config
#define BASE_PSK     struct config_psk
#define BASE_LIMITS  struct config
#define BASE_L2TP    struct config
#define BASE_PPP     struct config
#define BASE_POOL    struct config_pool
#define BASE_NET     struct config
#define BASE_USERS   struct config
#define BASE_CONTROL struct config
#define BASE_LOG     struct config
#define BASE_RUN     struct config

static const struct schema_key keys[] = {
#define SECTION(id, word, titled, sentence)
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)                                           \
    {SECTION_##section, #word, KIND_##kind, offsetof(BASE_##section, field), min, max, words, fallback, sentence},
#include "config/schema.def"
#undef SECTION
#undef KEY
};

const struct schema_section *schema_section(enum section s)
{
    return &sections[s];
}

const struct schema_key *schema_key(size_t i)
{
    return i < ARRAY_LEN(keys) ? &keys[i] : NULL;
}

bool schema_is_list(enum kind k)
{
    return k == KIND_ADDRESSES || k == KIND_RANGES || k == KIND_PREFIXES || k == KIND_AUTHS;
}

const char *schema_key_name(const struct schema_key *key, char out[static CONFIG_NAME_MAX])
{
    const char *section = sections[key->section].word;
    snprintf(out, CONFIG_NAME_MAX, "%s%s%s", section, section[0] ? "." : "", key->word);
    return out;
}

static const char *const *key_names(void)
{
    static const char *const names[] = {
#define WORD_TOP(word)     #word
#define WORD_IKE(word)     "ike." #word
#define WORD_PSK(word)     "psk." #word
#define WORD_LIMITS(word)  "limits." #word
#define WORD_L2TP(word)    "l2tp." #word
#define WORD_PPP(word)     "ppp." #word
#define WORD_POOL(word)    "pool." #word
#define WORD_NET(word)     "net." #word
#define WORD_USERS(word)   "users." #word
#define WORD_CONTROL(word) "control." #word
#define WORD_LOG(word)     "log." #word
#define WORD_RUN(word)     "run." #word
#define SECTION(id, word, titled, sentence)
#define KEY(section, word, kind, field, min, max, words, fallback, sentence) WORD_##section(word),
#include "config/schema.def"
#undef SECTION
#undef KEY
    };
    return names;
}

const char *config_key(size_t i)
{
    return i < ARRAY_LEN(keys) ? key_names()[i] : NULL;
}

/* ---- the nearest word to a misspelt one ---- */

#define WORD_LENGTH_MAX 32

/* Levenshtein's distance of two short words. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_LENGTH_MAX + 1];
    size_t n = strlen(b);
    if (strlen(a) > WORD_LENGTH_MAX || n > WORD_LENGTH_MAX)
        return WORD_LENGTH_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[n];
}

const char *schema_nearest(enum section s, const char *word)
{
    const char *best = NULL;
    size_t least = 3;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t d = keys[i].section == s ? distance(word, keys[i].word) : least;
        if (d < least) {
            least = d;
            best = keys[i].word;
        }
    }
    for (size_t i = 0; s == SECTION_TOP && i < SECTION_COUNT; i++) {
        size_t d = sections[i].word[0] ? distance(word, sections[i].word) : least;
        if (d < least) {
            least = d;
            best = sections[i].word;
        }
    }
    return best;
}
