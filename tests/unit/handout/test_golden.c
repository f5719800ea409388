/* What each device gets, word for word: golden/CASE.LANGUAGE.DEVICE, with the steps in
 * golden/CASE.LANGUAGE.DEVICE.steps. Run with UPDATE=1 in the environment to write them anew, then read the difference.
 */
#include "tests/test.h"

#include "handout/handout.h"
#include "sample.h"

static const char *directory;
static const char *const languages[] = {"en", "ja"};

static void compare(const char *name, const char *text, size_t n)
{
    static char want[HANDOUT_SIZE_MAX];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (getenv("UPDATE") != NULL) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, n, f), n);
        fclose(f);
    }
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail_msg("there is no golden/%s", name);
    const size_t got = fread(want, 1, sizeof want, f);
    fclose(f);
    if (got != n || memcmp(want, text, n) != 0)
        fail_msg("golden/%s should be\n%.*s", name, (int)n, text);
}

static void each(const char *name, const struct handout *h, enum handout_language language)
{
    static char text[HANDOUT_SIZE_MAX];
    char why[HANDOUT_WHY_MAX], file[128];
    for (int d = 0; d < HANDOUT_DEVICES; d++)
        for (int way = 0; way < 3; way++) {
            static const char *const ways[] = {"", ".steps", ".hand"};
            struct writer w = wr_init(text, sizeof text);
            enum err result = way == 0 ? handout_write(h, (enum handout_device)d, language, &w, why)
                                       : handout_steps(h, (enum handout_device)d, way == 2, language, &w, why);
            if (result != ERR_OK) {
                w = wr_init(text, sizeof text);
                wr_view(&w, view_str(why));
                wr_u8(&w, '\n');
            }
            snprintf(file, sizeof file, "%s.%s.%s%s", name, languages[language], handout_word((enum handout_device)d),
                     ways[way]);
            compare(file, text, w.n);
        }
}

static void two_networks_by_a_key(void **state)
{
    (void)state;
    const struct handout h = sample_split();
    each("split", &h, HANDOUT_ENGLISH);
    each("split", &h, HANDOUT_JAPANESE);
}

static void values_that_mean_something_to_a_format(void **state)
{
    (void)state;
    const struct handout h = sample_hostile();
    each("hostile", &h, HANDOUT_ENGLISH);
}

static void a_certificate(void **state)
{
    (void)state;
    const struct handout h = sample_certificate();
    each("certificate", &h, HANDOUT_ENGLISH);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_networks_by_a_key),
        cmocka_unit_test(values_that_mean_something_to_a_format),
        cmocka_unit_test(a_certificate),
    };
    if (argc != 2)
        return 2;
    directory = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
