/* Files and what becomes of them. golden/NAME.conf is a profile and nm/NAME.nmconnection one of NetworkManager's;
 * beside them NAME.ok holds the profile as it is written back, with notes behind it, or NAME.err the sentence. Run with
 * UPDATE=1 in the environment to write them anew, then read the difference. */
#include "tests/test.h"

#include <dirent.h>

#include "profile/profile_internal.h"

#define TEXT_MAX 65536

static const char *directory;
static const char *ending; /* of the files that scandir() is to find */

struct text {
    char p[TEXT_MAX];
    size_t n;
};

static bool read_file(const char *place, const char *name, const char *end, struct text *t)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s/%s.%s", directory, place, name, end);
    FILE *f = fopen(path, "r");
    t->n = 0;
    if (f != NULL) {
        t->n = fread(t->p, 1, sizeof t->p - 1, f);
        fclose(f);
    }
    t->p[t->n] = '\0';
    return f != NULL;
}

static void write_file(const char *place, const char *name, const char *end, const struct text *t)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s/%s.%s", directory, place, name, end);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(t->p, 1, t->n, f), t->n);
    fclose(f);
}

static enum err take(const struct text *in, const char *file, struct text *out)
{
    char notes[PROFILE_NOTES_MAX] = "", sentence[CONFIG_ERROR_TEXT_MAX];
    struct config_error e;
    struct profile *p = NULL;
    struct view text = view_of(in->p, in->n);
    enum err result =
        strcmp(ending, ".conf") == 0 ? profile_parse(text, file, &p, &e) : profile_import_nm(text, file, &p, notes, &e);
    struct writer w = wr_init(out->p, sizeof out->p);
    if (result == ERR_OK)
        assert_int_equal(profile_write(p, false, &w), ERR_OK);
    else
        wr_view(&w, view_str(config_error_text(&e, sentence)));
    for (const char *note = result == ERR_OK ? notes : ""; *note != '\0'; note += strcspn(note, "\n") + 1) {
        wr_view(&w, view_str("# "));
        wr_bytes(&w, note, strcspn(note, "\n") + 1);
    }
    if (result != ERR_OK)
        wr_u8(&w, '\n');
    out->n = w.n;
    out->p[w.n] = '\0';
    profile_free(p);
    return result;
}

static void check_one(const char *place, const char *name)
{
    static struct text in, got, want;
    char file[256];
    assert_true(read_file(place, name, ending + 1, &in));
    snprintf(file, sizeof file, "%s%s", name, ending);
    const char *end = take(&in, file, &got) == ERR_OK ? "ok" : "err";
    if (getenv("UPDATE") != NULL)
        write_file(place, name, end, &got);
    if (!read_file(place, name, end, &want))
        fail_msg("%s has no .%s beside it: %s", file, end, got.p);
    if (strcmp(got.p, want.p) != 0)
        fail_msg("%s gives\n%s\nbut should give\n%s", file, got.p, want.p);
}

static int by_ending(const struct dirent *d)
{
    size_t n = strlen(d->d_name), end = strlen(ending);
    return n > end && strcmp(d->d_name + n - end, ending) == 0;
}

static void check_all(const char *place, const char *with)
{
    char path[512];
    struct dirent **list;
    ending = with;
    snprintf(path, sizeof path, "%s/%s", directory, place);
    int n = scandir(path, &list, by_ending, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        list[i]->d_name[strlen(list[i]->d_name) - strlen(ending)] = '\0';
        check_one(place, list[i]->d_name);
        free(list[i]);
    }
    free(list);
}

static void every_profile_gives_what_stands_beside_it(void **state)
{
    (void)state;
    check_all("golden", ".conf");
}

static void every_connection_of_networkmanager_gives_what_stands_beside_it(void **state)
{
    (void)state;
    check_all("nm", ".nmconnection");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_gives_what_stands_beside_it),
        cmocka_unit_test(every_connection_of_networkmanager_gives_what_stands_beside_it),
    };
    if (argc != 2)
        return 2;
    directory = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
