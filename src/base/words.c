/* The names and sentences of drops, stages, causes and scopes, each from its one list. */
#include "base/base.h"

struct words {
    const char *word, *sentence, *cure;
};

static const struct words drops[DROP_COUNT] = {
    {"none", "not dropped", ""},
#define DROP(name, word, sentence) {word, sentence, ""},
#include "base/drops.def"
#undef DROP
};

static const struct words stages[STAGE_COUNT] = {
#define STAGE(name, word, sentence) {word, sentence, ""},
#include "base/stages.def"
#undef STAGE
};

static const struct words causes[CAUSE_COUNT] = {
    {"none", "", ""},
#define CAUSE(name, word, sentence, cure) {word, sentence, cure},
#include "base/causes.def"
#undef CAUSE
};

static const struct words scopes[SCOPE_COUNT] = {
#define SCOPE(name, word, sentence) {word, sentence, ""},
#include "base/scopes.def"
#undef SCOPE
};

static const struct words unknown = {"unknown", "unknown", ""};

static const struct words *words_at(const struct words *list, size_t n, size_t i)
{
    return i < n ? &list[i] : &unknown;
}

const char *drop_word(enum drop d)
{
    return words_at(drops, DROP_COUNT, d)->word;
}

const char *drop_sentence(enum drop d)
{
    return words_at(drops, DROP_COUNT, d)->sentence;
}

const char *stage_word(enum stage s)
{
    return words_at(stages, STAGE_COUNT, s)->word;
}

const char *stage_sentence(enum stage s)
{
    return words_at(stages, STAGE_COUNT, s)->sentence;
}

const char *cause_word(enum cause c)
{
    return words_at(causes, CAUSE_COUNT, c)->word;
}

const char *cause_sentence(enum cause c)
{
    return words_at(causes, CAUSE_COUNT, c)->sentence;
}

const char *cause_cure(enum cause c)
{
    return words_at(causes, CAUSE_COUNT, c)->cure;
}

const char *scope_word(enum scope s)
{
    return words_at(scopes, SCOPE_COUNT, s)->word;
}

const char *scope_sentence(enum scope s)
{
    return words_at(scopes, SCOPE_COUNT, s)->sentence;
}

int cause_exit_status(enum cause c)
{
    switch ((int)c) {
#define EXIT(name, status)                                                                                             \
    case CAUSE_##name:                                                                                                 \
        return status;
#include "base/exits.def"
#undef EXIT
    default:
        return 1;
    }
}
