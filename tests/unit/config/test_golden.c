/* Configuration files and what becomes of them: NAME.conf beside NAME.ok, which lists all values that are not the
 * default, or NAME.err, which holds the sentence. Run with UPDATE=1 in the environment to write them anew, then read
 * the difference. */
#include "tests/test.h"

#include <dirent.h>

#include "config/config_internal.h"

#define TEXT_MAX 65536

static const char *directory;

struct text {
    char p[TEXT_MAX];
    size_t n;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    t->n += (size_t)vsnprintf(t->p + t->n, sizeof t->p - t->n, format, args);
    va_end(args);
    assert_true(t->n < sizeof t->p);
}

static void add_word(struct text *t, const char *words, uint32_t place)
{
    for (; place > 0; place--)
        words += strcspn(words, " ") + 1;
    add(t, "%.*s", (int)strcspn(words, " "), words);
}

static void add_address(struct text *t, const struct ip_addr *a)
{
    char out[IP_TEXT_MAX];
    add(t, "%s", a->family != 0 ? ip_text(a, out) : "none");
}

static void add_range(struct text *t, const struct config_range *r)
{
    struct ip_addr first = ip4_addr(r->first), last = ip4_addr(r->last);
    add_address(t, &first);
    add(t, "-");
    add_address(t, &last);
}

static void add_value(struct text *t, const struct schema_key *key, const void *field)
{
    const struct config_addrs *addrs = field;
    const struct config_ranges *ranges = field;
    const struct config_prefixes *prefixes = field;
    const struct config_auths *auths = field;
    switch (key->kind) {
    case KIND_FLAG:
        add(t, "%s", *(const bool *)field ? "on" : "off");
        break;
    case KIND_NUMBER:
    case KIND_SECONDS:
        add(t, "%u", *(const uint32_t *)field);
        break;
    case KIND_WORD:
        add_word(t, key->words, *(const uint32_t *)field);
        break;
    case KIND_CHOICE:
    case KIND_CHOICES:
    case KIND_NAME:
    case KIND_NAMES:
    case KIND_TEXT:
    case KIND_PATH:
    case KIND_SECRET:
        add(t, "[%s]", (const char *)field);
        break;
    case KIND_ADDRESS:
        add_address(t, field);
        break;
    case KIND_ADDRESSES:
        for (uint32_t i = 0; i < addrs->count; i++, add(t, i < addrs->count ? " " : ""))
            add_address(t, &addrs->addr[i]);
        break;
    case KIND_RANGES:
        for (uint32_t i = 0; i < ranges->count; i++, add(t, i < ranges->count ? " " : ""))
            add_range(t, &ranges->range[i]);
        break;
    case KIND_PREFIXES:
        for (uint32_t i = 0; i < prefixes->count; i++, add(t, i < prefixes->count ? " " : "")) {
            add_address(t, &prefixes->prefix[i].addr);
            add(t, "/%u", prefixes->prefix[i].bits);
        }
        break;
    case KIND_AUTHS:
        for (uint32_t i = 0; auths->method[i] != 0; i++, add(t, auths->method[i] != 0 ? " " : ""))
            add_word(t, key->words, auths->method[i]);
        break;
    }
}

/* The section's values in base that differ from those in plain. */
static void add_section(struct text *t, unsigned s, const char *prefix, const void *base, const void *plain)
{
    for (size_t i = 0; i < config_schema.key_count; i++) {
        const struct schema_key *key = &config_schema.keys[i];
        static struct text one, other;
        if (key->section != s)
            continue;
        one.n = other.n = 0;
        one.p[0] = other.p[0] = '\0';
        add_value(&one, key, (const char *)base + key->offset);
        add_value(&other, key, (const char *)plain + key->offset);
        if (strcmp(one.p, other.p) != 0)
            add(t, "%s%s%s = %s\n", prefix, prefix[0] ? "." : "", key->word, one.p);
    }
}

static void add_config(struct text *t, const struct config *c)
{
    struct config *plain;
    struct config_error e;
    static const struct config_psk no_psk;
    static const struct config_pool no_pool;
    assert_int_equal(config_parse(VIEW_NONE, "plain", &plain, &e), ERR_OK);
    for (unsigned s = 0; s < SECTION_COUNT; s++)
        if (!config_schema.sections[s].titled)
            add_section(t, s, config_schema.sections[s].word, c, plain);
    for (size_t i = 0; i < c->psk_count; i++) {
        add(t, "psk %s of %zu bytes\n", c->psks[i].name, (size_t)c->psks[i].key.n);
        add_section(t, SECTION_PSK, "psk", &c->psks[i], &no_psk);
    }
    static const struct config_certificate no_certificate;
    static const struct config_authority no_authority;
    for (size_t i = 0; i < c->certificate_count; i++) {
        add(t, "certificate %s\n", c->certificates[i].name);
        add_section(t, SECTION_CERTIFICATE, "certificate", &c->certificates[i], &no_certificate);
    }
    for (size_t i = 0; i < c->authority_count; i++) {
        add(t, "authority %s\n", c->authorities[i].name);
        add_section(t, SECTION_AUTHORITY, "authority", &c->authorities[i], &no_authority);
    }
    for (size_t i = 0; i < c->pool_count; i++) {
        add(t, "pool %s\n", c->pools[i].name);
        add_section(t, SECTION_POOL, "pool", &c->pools[i], &no_pool);
    }
    config_free(plain);
}

static bool read_file(const char *name, const char *ending, struct text *t)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", directory, name, ending);
    FILE *f = fopen(path, "r");
    t->n = 0;
    if (f != NULL) {
        t->n = fread(t->p, 1, sizeof t->p - 1, f);
        fclose(f);
    }
    t->p[t->n] = '\0';
    return f != NULL;
}

static void write_file(const char *name, const char *ending, const struct text *t)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", directory, name, ending);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(t->p, 1, t->n, f), t->n);
    fclose(f);
}

static void check_one(const char *name)
{
    static struct text in, got, want;
    struct config *c = NULL;
    struct config_error e;
    char file[256], sentence[CONFIG_ERROR_TEXT_MAX];
    assert_true(read_file(name, "conf", &in));
    got.n = 0;
    snprintf(file, sizeof file, "%s.conf", name);
    enum err result = config_parse(view_of(in.p, in.n), file, &c, &e);
    if (result == ERR_OK)
        add_config(&got, c);
    else
        add(&got, "%s\n", config_error_text(&e, sentence));
    config_free(c);
    const char *ending = result == ERR_OK ? "ok" : "err";
    if (getenv("UPDATE") != NULL)
        write_file(name, ending, &got);
    if (!read_file(name, ending, &want))
        fail_msg("%s.conf has no .%s beside it: %s", name, ending, got.p);
    if (strcmp(got.p, want.p) != 0)
        fail_msg("%s.conf gives\n%s\nbut should give\n%s", name, got.p, want.p);
}

static int only_conf(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 5 && strcmp(d->d_name + n - 5, ".conf") == 0;
}

static void every_file_gives_what_stands_beside_it(void **state)
{
    (void)state;
    struct dirent **list;
    int n = scandir(directory, &list, only_conf, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        list[i]->d_name[strlen(list[i]->d_name) - 5] = '\0';
        check_one(list[i]->d_name);
        free(list[i]);
    }
    free(list);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_gives_what_stands_beside_it),
    };
    if (argc != 2)
        return 2;
    directory = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
