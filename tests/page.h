/* The list of keys in a manual page against the schema it comes from. Run the test with UPDATE=1 in the environment to
 * write the list anew. */
#ifndef SEKISHO_TESTS_PAGE_H
#define SEKISHO_TESTS_PAGE_H

#include "config/config.h"
#include "tests/test.h"

#define PAGE_MAX 65536

static const char page_begin[] = ".\\\" keys: from the schema; see tests/page.h\n";
static const char page_end[] = ".\\\" end of keys\n";

struct page_list {
    char p[PAGE_MAX];
    size_t n;
};

static void page_add(struct page_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void page_add(struct page_list *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    list->n += (size_t)vsnprintf(list->p + list->n, sizeof list->p - list->n, format, args);
    va_end(args);
    assert_true(list->n < sizeof list->p);
}

static void page_add_key(struct page_list *list, const struct schema *schema, const struct schema_key *key, bool plain)
{
    char name[CONFIG_NAME_MAX];
    bool number = key->kind == KIND_NUMBER || key->kind == KIND_SECONDS;
    page_add(list, ".It Ic %s\n%s\n", schema_key_name(schema, key, name), key->sentence);
    if (number)
        page_add(list, "From %llu to %llu%s.\n", (unsigned long long)key->min, (unsigned long long)key->max,
                 key->kind == KIND_SECONDS ? " seconds" : "");
    if (key->fallback[0] != '\0' && !plain)
        page_add(list, "Default: %s.\n", key->fallback);
}

static void page_add_section(struct page_list *list, const struct schema *schema, unsigned s, bool plain)
{
    const struct schema_section *section = &schema->sections[s];
    page_add(list, ".Pp\n");
    if (section->titled)
        page_add(list, "Section\n.Ic %s Qq NAME :\n", section->word);
    else if (section->word[0] != '\0')
        page_add(list, "Section\n.Ic %s :\n", section->word);
    page_add(list, "%s.\n.Bl -tag -width Ds\n", section->sentence);
    for (size_t i = 0; i < schema->key_count; i++)
        if (schema->keys[i].section == s)
            page_add_key(list, schema, &schema->keys[i], plain);
    page_add(list, ".El\n");
}

/* plain: a section whose fallbacks are not told, because they only go for a file that has none of it; 0 for none. */
static void page_check(const char *path, const struct schema *schema, unsigned plain)
{
    static char page[PAGE_MAX];
    static struct page_list list;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    char *begin = strstr(page, page_begin), *end = strstr(page, page_end);
    assert_true(begin != NULL && end != NULL && begin < end);
    begin += strlen(page_begin);
    for (unsigned s = 0; s < schema->section_count; s++)
        page_add_section(&list, schema, s, plain != 0 && s == plain);
    if (getenv("UPDATE") != NULL) {
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)(begin - page), page, list.p, end);
        fclose(f);
    } else if (list.n != (size_t)(end - begin) || memcmp(list.p, begin, list.n) != 0) {
        fail_msg("the keys in %s are not those of the schema; run this test with UPDATE=1", path);
    }
}

#endif
