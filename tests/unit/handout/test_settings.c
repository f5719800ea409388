/* What the gateway tells, and what is no such thing. */
#include "tests/test.h"

#include "handout/handout.h"

static const struct handout_told good = {
    "vpn.example.net", "6b6579", "mschapv2,eap-gtc,telepathy", "10.0.0.0/8,192.168.7.0/24", "10.0.0.53,10.0.1.53",
    "corp.example",    true};

static void all_of_it_is_read(void **state)
{
    struct handout_settings s;
    struct handout h = {.name = "kept"};
    (void)state;
    assert_int_equal(handout_settings_read(&good, &s), ERR_OK);
    handout_settings_fill(&s, &h);
    assert_string_equal(h.server, "vpn.example.net");
    assert_string_equal(h.name, "kept");
    assert_true(view_equal(h.psk, view_str("key")));
    assert_int_equal(h.logins, HANDOUT_MSCHAPV2 | HANDOUT_EAP_GTC);
    assert_false(h.everything);
    assert_int_equal(h.route_count, 2);
    assert_int_equal(h.routes[1].bits, 24);
    assert_int_equal(h.dns_count, 2);
    assert_string_equal(h.domains, "corp.example");
    assert_true(h.grid);
}

static void without_routes_everything_goes_through(void **state)
{
    struct handout_settings s;
    struct handout h = {0};
    struct handout_told told = good;
    (void)state;
    told.routes = told.psk = told.dns = "";
    assert_int_equal(handout_settings_read(&told, &s), ERR_OK);
    handout_settings_fill(&s, &h);
    assert_true(h.everything);
    assert_int_equal(h.psk.n, 0);
    assert_int_equal(h.dns_count, 0);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct handout_settings s;
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct handout_told told = good;
        switch (i) {
        case 0:
            told.psk = "6b6";
            break;
        case 1:
            told.psk = "6bxx";
            break;
        case 2:
            told.routes = "10.0.0.0";
            break;
        case 3:
            told.routes = "10.0.0.0/33";
            break;
        case 4:
            told.routes = "10.0.0.0/8x";
            break;
        case 5:
            told.dns = "10.0.0.1,10.0.0.2,10.0.0.3";
            break;
        case 6:
            told.dns = "ns.example";
            break;
        default:
            told.routes = "10.0.0.0/8,,10.0.0.0/8";
        }
        if (handout_settings_read(&told, &s) != ERR_INVALID)
            fail_msg("%d was taken", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_read),
        cmocka_unit_test(without_routes_everything_goes_through),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
