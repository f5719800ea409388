/* What a profile says, and what the engine makes of it. */
#include "tests/test.h"

#include "client/client_internal.h"
#include "profile/profile.h"

static struct profile *parse(const char *text)
{
    struct profile *p = NULL;
    struct config_error e;
    char said[CONFIG_ERROR_TEXT_MAX];
    if (profile_parse(view_str(text), "office.conf", &p, &e) != ERR_OK)
        fail_msg("%s", config_error_text(&e, said));
    assert_int_equal(profile_secrets(p, NULL, "office.conf", &e), ERR_OK);
    return p;
}

#define NEEDED "server = \"vpn.example.net\"\nuser = alice\npassword = secret\npsk = key\n"

static void what_is_said_is_taken(void **state)
{
    (void)state;
    char why[256];
    struct client_options o = {.user = "sekisho"};
    struct profile *p = parse(NEEDED "ike {\npolicy = legacy\nidentity = \"@staff\"\n}\n"
                                     "ppp {\nmtu = 1300\naddress = 10.1.2.3\n}\n"
                                     "net {\nroutes = {\"10.0.0.0/8\"}\ndns = off\ninterface = office\n}\n"
                                     "run {\nstay = always\nlog = warning\nuser = nobody\n}\n");
    assert_true(client_take_profile(p, &o, why, sizeof why));
    assert_string_equal(o.connection.server, "vpn.example.net");
    assert_string_equal(o.connection.user, "alice");
    assert_string_equal(o.connection.policy, "legacy");
    assert_string_equal(o.connection.identity, "@staff");
    assert_string_equal(o.connection.address, "10.1.2.3");
    assert_int_equal(o.connection.mtu, 1300);
    assert_int_equal(o.connection.stay, SEKISHO_STAY_ALWAYS);
    assert_int_equal(o.wishes.route_count, 1);
    assert_false(o.wishes.dns_of_tunnel);
    assert_string_equal(o.iface, "office");
    assert_string_equal(o.log_level, "warning");
    assert_string_equal(o.user, "nobody");
    profile_free(p);
}

static void what_is_not_said_is_left_to_the_library(void **state)
{
    (void)state;
    char why[256];
    struct client_options o = {.user = "sekisho"};
    struct profile *p = parse(NEEDED);
    assert_true(client_take_profile(p, &o, why, sizeof why));
    assert_null(o.connection.address);
    assert_null(o.connection.identity);
    assert_null(o.connection.certificate);
    assert_true(o.wishes.everything);
    assert_true(o.wishes.dns_of_tunnel);
    profile_free(p);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *missing;
    } cases[] = {
        {"server = a\npsk = key\npassword = secret\n", "the user's name"},
        {"server = a\npsk = key\nuser = alice\n", "the user's password"},
        {"server = a\nuser = alice\npassword = secret\n", "a pre-shared key"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char why[256] = "";
        struct client_options o = {.user = "sekisho"};
        struct profile *p = parse(cases[i].text);
        assert_false(client_take_profile(p, &o, why, sizeof why));
        if (!strstr(why, cases[i].missing))
            fail_msg("\"%s\" does not say \"%s\"", why, cases[i].missing);
        profile_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_is_taken),
        cmocka_unit_test(what_is_not_said_is_left_to_the_library),
        cmocka_unit_test(what_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
