/* A profile as a whole: defaults, writing and reading back, single keys, names. */
#include "tests/test.h"

#include "profile/profile_internal.h"

static struct config_error e;
static char text[PROFILE_SIZE_MAX];

static struct profile *parsed(const char *in)
{
    struct profile *p = NULL;
    char sentence[CONFIG_ERROR_TEXT_MAX];
    if (profile_parse(view_str(in), "test", &p, &e) != ERR_OK)
        fail_msg("%s", config_error_text(&e, sentence));
    return p;
}

static const char *written(const struct profile *p, bool comments)
{
    struct writer w = wr_init(text, sizeof text - 1);
    assert_int_equal(profile_write(p, comments, &w), ERR_OK);
    text[w.n] = '\0';
    return text;
}

static void a_server_is_enough(void **state)
{
    (void)state;
    struct profile *p = parsed("server = vpn.example.net");
    assert_string_equal(p->ike.policy, "compatible");
    assert_string_equal(p->ike.encapsulation, "auto");
    assert_string_equal(p->ppp.methods, "mschapv2,eap-mschapv2,eap-tls");
    assert_string_equal(p->run.stay, "up");
    assert_string_equal(p->run.user, "sekisho");
    assert_int_equal(p->net.routes.word, PROFILE_ROUTES_EVERYTHING);
    assert_int_equal(p->net.dns.word, PROFILE_DNS_TUNNEL);
    assert_int_equal(p->ike.lifetime, 8 * 3600);
    profile_free(p);
}

static void every_fallback_of_the_schema_is_in_its_normal_form(void **state)
{
    (void)state;
    struct profile *p = profile_new();
    assert_string_equal(written(p, false), "");
    profile_free(p);
}

static void a_written_profile_is_read_back_as_it_was(void **state)
{
    (void)state;
    static char first[PROFILE_SIZE_MAX];
    struct profile *p = parsed("server = \"192.0.2.1\"\nuser = \"CORP\\\\alice\"\npsk = \"a # \\\" $HOME {}\"\n"
                               "net { routes = { 10.0.0.0/8, 0.0.0.0/1 }\n domains = { a.example, b.example } }\n"
                               "ppp { methods = { pap } \n mtu = 1400 }\nike { lifetime = 100m\n pfs = on }\n");
    snprintf(first, sizeof first, "%s", written(p, false));
    for (int comments = 0; comments < 2; comments++) {
        struct profile *again = parsed(written(p, comments));
        assert_string_equal(again->psk.value, "a # \" $HOME {}");
        assert_string_equal(again->user, "CORP\\alice");
        assert_string_equal(written(again, false), first);
        profile_free(again);
    }
    profile_free(p);
}

/* With every number sign before a key taken off: the examples in the comments are right too. */
static void the_commented_file_holds_with_every_line_in_effect(void **state)
{
    (void)state;
    static char live[PROFILE_SIZE_MAX];
    static const char *const twice[] = {"password_file", "password_command", "psk_file", "    password_file",
                                        "    secret_file"};
    struct profile *p = parsed("server = a");
    size_t n = 0;
    (void)written(p, true);
    profile_free(p);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *sign = strchr(line, '#');
        bool live_line = sign != NULL && sign[1] != ' ';
        for (size_t i = 0; live_line && i < ARRAY_LEN(twice); i++)
            if (strncmp(line, twice[i], (size_t)(sign - line)) == 0 &&
                strncmp(sign + 1, twice[i] + strspn(twice[i], " "), strlen(twice[i] + strspn(twice[i], " "))) == 0)
                live_line = false;
        if (live_line)
            *sign = ' ';
        n += (size_t)snprintf(live + n, sizeof live - n, "%s\n", line);
    }
    p = parsed(live);
    assert_string_equal(p->certificate.server_identity, "vpn.example.net");
    assert_string_equal(p->net.domains, "corp.example");
    assert_string_equal(p->net.interface, "sekisho0");
    profile_free(p);
}

static void a_buffer_too_small_is_told(void **state)
{
    (void)state;
    struct profile *p = parsed("server = a");
    struct writer w = wr_init(text, 100);
    assert_int_equal(profile_write(p, true, &w), ERR_LIMIT);
    profile_free(p);
}

static void single_keys_are_set_as_the_file_would(void **state)
{
    (void)state;
    struct profile *p = profile_new();
    assert_int_equal(profile_set(p, "server", "vpn.example.net", &e), ERR_OK);
    assert_int_equal(profile_set(p, "net.routes", "10.0.0.0/8, 192.168.0.0/16", &e), ERR_OK);
    assert_int_equal(p->net.routes.count, 2);
    assert_int_equal(profile_set(p, "net.routes", "ask", &e), ERR_OK);
    assert_int_equal(p->net.routes.word, PROFILE_ROUTES_ASK);
    assert_int_equal(p->net.routes.count, 0);
    assert_int_equal(profile_set(p, "password", "a, b", &e), ERR_OK);
    assert_string_equal(p->password.value, "a, b");
    assert_int_equal(profile_set(p, "password", "two\nlines", &e), ERR_INVALID);
    assert_string_equal(e.sentence, "There is a control character in the text; take it out.");
    assert_int_equal(profile_set(p, "net.route", "ask", &e), ERR_INVALID);
    assert_string_equal(e.sentence, "There is no key \"net.route\"; sekisho-profile(5) lists all that there are.");
    assert_int_equal(profile_set(p, "ppp.mtu", "many", &e), ERR_INVALID);
    assert_string_equal(e.key, "ppp.mtu");
    profile_free(p);
}

static void keys_are_named_by_section_and_word(void **state)
{
    (void)state;
    char name[CONFIG_NAME_MAX];
    size_t n = 0;
    while (profile_key(n, name) != NULL)
        n++;
    assert_int_equal(n, profile_schema.key_count);
    assert_string_equal(profile_key(0, name), "server");
}

static void a_name_is_safe_as_a_files(void **state)
{
    (void)state;
    static const char *const good[] = {"office", "a", "Office-2.home_1", "_x"};
    static const char *const bad[] = {"", ".", "..", ".hidden", "-x", "a/b", "a b", "caf\xc3\xa9"};
    char longest[PROFILE_NAME_MAX + 1] = "";
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(profile_name_good(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(profile_name_good(bad[i]));
    memset(longest, 'a', PROFILE_NAME_MAX);
    assert_false(profile_name_good(longest));
    longest[PROFILE_NAME_MAX - 1] = '\0';
    assert_true(profile_name_good(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_enough),
        cmocka_unit_test(every_fallback_of_the_schema_is_in_its_normal_form),
        cmocka_unit_test(a_written_profile_is_read_back_as_it_was),
        cmocka_unit_test(the_commented_file_holds_with_every_line_in_effect),
        cmocka_unit_test(a_buffer_too_small_is_told),
        cmocka_unit_test(single_keys_are_set_as_the_file_would),
        cmocka_unit_test(keys_are_named_by_section_and_word),
        cmocka_unit_test(a_name_is_safe_as_a_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
