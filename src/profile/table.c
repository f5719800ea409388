/* The profile's schema, from its one list. */
#include "profile/profile_internal.h"

enum section {
#define SECTION(id, word, sentence) SECTION_##id,
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)
#include "profile/schema.def"
#undef SECTION
#undef KEY
};

static const struct schema_section sections[] = {
#define SECTION(id, word, sentence) {word, false, sentence},
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)
#include "profile/schema.def"
#undef SECTION
#undef KEY
};

static const struct schema_key keys[] = {
#define SECTION(id, word, sentence)
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)                                           \
    {SECTION_##section, #word, KIND_##kind, offsetof(struct profile, field), min, max, words, fallback, sentence},
#include "profile/schema.def"
#undef SECTION
#undef KEY
};

const struct schema profile_schema = {sections, keys, ARRAY_LEN(sections), ARRAY_LEN(keys), "sekisho-profile(5)"};

const char *profile_key(size_t i, char out[static CONFIG_NAME_MAX])
{
    return i < ARRAY_LEN(keys) ? schema_key_name(&profile_schema, &keys[i], out) : NULL;
}
