/* sekisho.conf(5) tells every key of the schema, with its sentence, range and default. */
#include "tests/page.h"

#include "config/config_internal.h"

static const char *page_path;

static void the_manual_page_tells_every_key(void **state)
{
    (void)state;
    page_check(page_path, &config_schema, SECTION_POOL);
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
