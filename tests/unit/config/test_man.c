/* sekisho.conf(5) tells every key of the schema, with its sentence, range and default. Run with UPDATE=1 in the
 * environment to write its list anew. */
#include "tests/test.h"

#include "config/config_internal.h"

#define PAGE_MAX 65536

static const char begin_mark[] = ".\\\" keys: from the schema; see tests/unit/config/test_man.c\n";
static const char end_mark[] = ".\\\" end of keys\n";

static const char *page_path;
static char page[PAGE_MAX], list[PAGE_MAX];
static size_t list_n;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    list_n += (size_t)vsnprintf(list + list_n, sizeof list - list_n, format, args);
    va_end(args);
    assert_true(list_n < sizeof list);
}

static void add_key(const struct schema_key *key)
{
    char name[CONFIG_NAME_MAX];
    bool number = key->kind == KIND_NUMBER || key->kind == KIND_SECONDS;
    add(".It Ic %s\n%s\n", schema_key_name(&config_schema, key, name), key->sentence);
    if (number)
        add("From %llu to %llu%s.\n", (unsigned long long)key->min, (unsigned long long)key->max,
            key->kind == KIND_SECONDS ? " seconds" : "");
    if (key->fallback[0] != '\0' && key->section != SECTION_POOL)
        add("Default: %s.\n", key->fallback);
}

static void make_list(void)
{
    for (size_t s = 0; s < SECTION_COUNT; s++) {
        const struct schema_section *section = &config_schema.sections[s];
        add(".Pp\n");
        if (section->titled)
            add("Section\n.Ic %s Qq NAME :\n", section->word);
        else if (section->word[0] != '\0')
            add("Section\n.Ic %s :\n", section->word);
        add("%s.\n.Bl -tag -width Ds\n", section->sentence);
        for (size_t i = 0; i < config_schema.key_count; i++)
            if (config_schema.keys[i].section == s)
                add_key(&config_schema.keys[i]);
        add(".El\n");
    }
}

static void the_manual_page_tells_every_key(void **state)
{
    (void)state;
    FILE *f = fopen(page_path, "r");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    char *begin = strstr(page, begin_mark), *end = strstr(page, end_mark);
    assert_true(begin != NULL && end != NULL && begin < end);
    begin += strlen(begin_mark);
    make_list();
    if (getenv("UPDATE") != NULL) {
        f = fopen(page_path, "w");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)(begin - page), page, list, end);
        fclose(f);
    } else if (strlen(list) != (size_t)(end - begin) || memcmp(list, begin, strlen(list)) != 0) {
        fail_msg("the keys in %s are not those of the schema; run this test with UPDATE=1", page_path);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_page_tells_every_key),
    };
    if (argc != 2)
        return 2;
    page_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
