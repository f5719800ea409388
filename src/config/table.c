/* The gateway's schema, from its one list. */
#include "config/config_internal.h"

static const struct schema_section sections[SECTION_COUNT] = {
#define SECTION(id, word, titled, sentence) {word, titled, sentence},
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)
#include "config/schema.def"
#undef SECTION
#undef KEY
};

/* Which struct the fields of a section are in. */
#define BASE_TOP         struct config
#define BASE_IKE         struct config
#define BASE_PSK         struct config_psk
#define BASE_CERTIFICATE struct config_certificate
#define BASE_AUTHORITY   struct config_authority
#define BASE_LIMITS      struct config
#define BASE_L2TP        struct config
#define BASE_PPP         struct config
#define BASE_POOL        struct config_pool
#define BASE_NET         struct config
#define BASE_USERS       struct config
#define BASE_CONTROL     struct config
#define BASE_GRID        struct config
#define BASE_PORTAL      struct config
#define BASE_METRICS     struct config
#define BASE_LOG         struct config
#define BASE_RUN         struct config

static const struct schema_key keys[] = {
#define SECTION(id, word, titled, sentence)
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)                                           \
    {SECTION_##section, #word, KIND_##kind, offsetof(BASE_##section, field), min, max, words, fallback, sentence},
#include "config/schema.def"
#undef SECTION
#undef KEY
};

const struct schema config_schema = {sections, keys, ARRAY_LEN(sections), ARRAY_LEN(keys), "sekisho.conf(5)"};

static const char *const *key_names(void)
{
    static const char *const names[] = {
#define WORD_TOP(word)         #word
#define WORD_IKE(word)         "ike." #word
#define WORD_PSK(word)         "psk." #word
#define WORD_CERTIFICATE(word) "certificate." #word
#define WORD_AUTHORITY(word)   "authority." #word
#define WORD_LIMITS(word)      "limits." #word
#define WORD_L2TP(word)        "l2tp." #word
#define WORD_PPP(word)         "ppp." #word
#define WORD_POOL(word)        "pool." #word
#define WORD_NET(word)         "net." #word
#define WORD_USERS(word)       "users." #word
#define WORD_CONTROL(word)     "control." #word
#define WORD_GRID(word)        "grid." #word
#define WORD_PORTAL(word)      "portal." #word
#define WORD_METRICS(word)     "metrics." #word
#define WORD_LOG(word)         "log." #word
#define WORD_RUN(word)         "run." #word
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
