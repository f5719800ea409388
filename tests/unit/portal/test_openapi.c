/* docs/openapi.json is the description of the calls that are served. */
#include "tests/test.h"

#include "portal/api.h"

static const char *page_path;

static void the_file_is_what_the_lists_say(void **state)
{
    (void)state;
    json_error_t error;
    char *text = api_openapi();
    json_t *served = json_loads(text, 0, &error), *kept = json_load_file(page_path, 0, &error);
    assert_non_null(served);
    if (kept == NULL || !json_equal(served, kept))
        fail_msg("%s is out of date: sekisho-portal --openapi > docs/openapi.json", page_path);
    json_decref(served);
    json_decref(kept);
    free(text);
}

static void no_two_calls_share_an_id_or_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_call_count; i++)
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(api_calls[i].id, api_calls[k].id);
            if (api_calls[i].method == api_calls[k].method)
                assert_string_not_equal(api_calls[i].path, api_calls[k].path);
        }
}

/* A list that holds passwords, secrets or the pre-shared key would be for whoever has any token of that scope. */
static void no_call_reads_tells_or_makes_what_opens_the_gateway(void **state)
{
    (void)state;
    static const enum ctl_verb never[] = {CTL_VERB_TOKEN_MAKE, CTL_VERB_TOKEN_CHECK,      CTL_VERB_ADMIN_ADD,
                                          CTL_VERB_ADMIN_TOTP, CTL_VERB_ADMIN_PASSWD,     CTL_VERB_ADMIN_DEL,
                                          CTL_VERB_TOTP_BEGIN, CTL_VERB_HANDOUT_SETTINGS, CTL_VERB_USER_CHECK};
    for (size_t i = 0; i < api_call_count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(never); k++)
            assert_int_not_equal(api_calls[i].verb, never[k]);
        const bool sees = api_calls[i].method == API_GET;
        assert_int_equal(sees, !ctl_verb_changes(api_calls[i].verb) && api_calls[i].verb != CTL_VERB_CONFIG_CHECK);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_what_the_lists_say),
        cmocka_unit_test(no_two_calls_share_an_id_or_a_place),
        cmocka_unit_test(no_call_reads_tells_or_makes_what_opens_the_gateway),
    };
    if (argc != 2)
        return 2;
    page_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
