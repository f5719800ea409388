/* Set-up files as their readers see them, and what is refused. */
#include "tests/test.h"

#include "handout/handout_internal.h"
#include "profile/profile.h"
#include "sample.h"

static char text[HANDOUT_SIZE_MAX];
static char why[HANDOUT_WHY_MAX];

static struct view written(const struct handout *h, enum handout_device device)
{
    struct writer w = wr_init(text, sizeof text);
    if (handout_write(h, device, HANDOUT_ENGLISH, &w, why) != ERR_OK)
        fail_msg("%s: %s", handout_word(device), why);
    return wr_written(&w);
}

static const char *steps(const struct handout *h, enum handout_device device, bool by_hand,
                         enum handout_language language)
{
    struct writer w = wr_init(text, sizeof text - 1);
    if (handout_steps(h, device, by_hand, language, &w, why) != ERR_OK)
        fail_msg("%s: %s", handout_word(device), why);
    text[w.n] = '\0';
    return text;
}

static void refused(const struct handout *h, enum handout_device device, enum text expected)
{
    struct writer w = wr_init(text, sizeof text);
    why[0] = '\0';
    assert_int_equal(handout_write(h, device, HANDOUT_ENGLISH, &w, why), ERR_INVALID);
    assert_string_equal(why, text_of(expected, HANDOUT_ENGLISH));
}

/* ---- what is refused ---- */

static void a_control_character_reaches_no_file(void **state)
{
    static const char *const bad[] = {"a\nb",          "a\rb",          "a\tb",          "\x1b[31m",
                                      "a\x7f",         "a\xc2\x85",     "a\xe2\x80\xa8", "a\xe2\x80\xaez",
                                      "a\xe2\x81\xa6", "a\xef\xbb\xbf", "\xff",          "\xc0\x80",
                                      "\xed\xa0\x80",  "\xef\xbf\xbe",  "\xe2\x82",      "\xf4\x90\x80\x80"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        for (int d = 0; d < HANDOUT_DEVICES; d++) {
            struct handout h = sample_split();
            h.name = bad[i];
            refused(&h, (enum handout_device)d, TEXT_BAD_NAME);
            h = sample_split();
            h.user = bad[i];
            refused(&h, (enum handout_device)d, TEXT_BAD_USER);
        }
}

static void letters_of_all_scripts_are_taken(void **state)
{
    static const char *const good[] = {"関所", "שלום", "العربية", "Ünïcödé", "😀", "a b", "a\xc2\xa0z"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct handout h = sample_split();
        h.user = h.name = good[i];
        for (int d = 0; d < HANDOUT_DEVICES; d++)
            written(&h, (enum handout_device)d);
    }
}

static void a_server_is_a_host_name_or_an_address(void **state)
{
    static const char *const bad[] = {"", "a b", "a;b", "a'b", "-x", "関所.example", "a/b", "$(id)", "a\nb", "[::1]"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct handout h = sample_split();
        h.server = bad[i];
        refused(&h, HANDOUT_OPENWRT, TEXT_BAD_SERVER);
    }
    struct handout h = sample_split();
    h.server = "2001:db8::1";
    written(&h, HANDOUT_WINDOWS);
}

static void what_is_too_long_is_refused(void **state)
{
    char longer[600];
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct handout h = sample_split();
    h.user = longer;
    refused(&h, HANDOUT_IOS, TEXT_BAD_USER);
    h = sample_split();
    h.domains = longer;
    refused(&h, HANDOUT_IOS, TEXT_BAD_DOMAIN);
    h = sample_split();
    h.psk = view_str(longer);
    refused(&h, HANDOUT_IOS, TEXT_BAD_KEY);
    h = sample_split();
    struct writer small = wr_init(text, 100);
    assert_int_equal(handout_write(&h, HANDOUT_IOS, HANDOUT_ENGLISH, &small, why), ERR_LIMIT);
    assert_string_equal(why, text_of(TEXT_TOO_LONG, HANDOUT_ENGLISH));
}

static void a_key_that_is_no_ascii_goes_only_where_bytes_go(void **state)
{
    (void)state;
    struct handout h = sample_hostile();
    h.name = "x";
    refused(&h, HANDOUT_WINDOWS, TEXT_KEY_NOT_ASCII);
    refused(&h, HANDOUT_CHROMEOS, TEXT_KEY_NOT_ASCII);
    refused(&h, HANDOUT_ANDROID, TEXT_KEY_NOT_ASCII);
    refused(&h, HANDOUT_ROUTEROS, TEXT_KEY_NOT_ASCII);
    written(&h, HANDOUT_MACOS);
    written(&h, HANDOUT_LINUX);
    written(&h, HANDOUT_SEKISHO);
    written(&h, HANDOUT_OPENWRT);
}

static void some_devices_cannot_log_in_as_the_gateway_wants(void **state)
{
    (void)state;
    struct handout h = sample_split();
    h.logins = HANDOUT_EAP_GTC;
    refused(&h, HANDOUT_WINDOWS, TEXT_NO_LOGIN);
    written(&h, HANDOUT_SEKISHO);
    h.logins = HANDOUT_EAP_MSCHAPV2;
    written(&h, HANDOUT_WINDOWS);
    refused(&h, HANDOUT_IOS, TEXT_NO_LOGIN);
}

static void a_variable_of_a_chromebook_is_no_user(void **state)
{
    (void)state;
    struct handout h = sample_split();
    h.user = "${LOGIN_ID}";
    refused(&h, HANDOUT_CHROMEOS, TEXT_CHROMEOS_USER);
    written(&h, HANDOUT_WINDOWS);
}

/* What its import would refuse. */
static void a_chromebook_has_rules_for_certificates(void **state)
{
    (void)state;
    struct handout h = sample_certificate();
    refused(&h, HANDOUT_CHROMEOS, TEXT_CHROMEOS_PASSWORD);
    h.certificate.password = NULL;
    written(&h, HANDOUT_CHROMEOS);
    h.certificate.authority = VIEW_NONE;
    refused(&h, HANDOUT_CHROMEOS, TEXT_CHROMEOS_AUTHORITY);
    written(&h, HANDOUT_MACOS);
}

static void networkmanager_connects_to_no_ipv6_address(void **state)
{
    (void)state;
    struct handout h = sample_split();
    h.server = "2001:db8::1";
    refused(&h, HANDOUT_LINUX, TEXT_LINUX_SERVER);
    written(&h, HANDOUT_SEKISHO);
}

static void windows_has_rules_for_names(void **state)
{
    (void)state;
    struct handout h = sample_split();
    h.name = "a/b";
    refused(&h, HANDOUT_WINDOWS, TEXT_WINDOWS_NAME);
    h.name = ".a";
    refused(&h, HANDOUT_WINDOWS, TEXT_WINDOWS_NAME);
}

static void without_a_proof_there_is_no_file(void **state)
{
    (void)state;
    struct handout h = sample_split();
    h.psk = VIEW_NONE;
    refused(&h, HANDOUT_WINDOWS, TEXT_NO_PROOF);
    h = sample_certificate();
    refused(&h, HANDOUT_ANDROID, TEXT_NO_CERTIFICATES);
    h.certificate.file = NULL;
    refused(&h, HANDOUT_LINUX, TEXT_NO_P12_FILE);
}

/* ---- what our own readers see ---- */

static void expect(const struct profile *p, const char *key, const char *value)
{
    char got[SCHEMA_TEXT_MAX];
    assert_string_equal(profile_get(p, key, got), value);
}

static void our_client_reads_its_profile(void **state)
{
    struct config_error e;
    struct profile *p = NULL;
    (void)state;
    struct handout h = sample_split();
    assert_int_equal(profile_parse(written(&h, HANDOUT_SEKISHO), "office.conf", &p, &e), ERR_OK);
    expect(p, "server", "vpn.example.net");
    expect(p, "user", "alice");
    expect(p, "psk", "correct horse");
    expect(p, "ppp.methods", "mschapv2, chap-md5");
    expect(p, "net.routes", "10.0.0.0/8, 192.168.7.0/24");
    expect(p, "net.domains", "corp.example, lab.example");
    expect(p, "password", "");
    profile_free(p);
    h = sample_certificate();
    assert_int_equal(profile_parse(written(&h, HANDOUT_SEKISHO), "office.conf", &p, &e), ERR_OK);
    expect(p, "psk", "");
    expect(p, "certificate.file", "/etc/sekisho/client/alice.p12");
    expect(p, "certificate.password", "it's");
    expect(p, "certificate.server_identity", "gateway.example.net");
    profile_free(p);
}

/* The password of such a user does not open, and digits must be read from the grid of this very login. */
static void who_logs_in_by_a_grid_is_shown_one_by_our_client(void **state)
{
    struct config_error e;
    struct profile *p = NULL;
    struct handout h = sample_split();
    (void)state;
    h.logins = HANDOUT_MSCHAPV2 | HANDOUT_EAP_GTC;
    assert_int_equal(profile_parse(written(&h, HANDOUT_SEKISHO), "office.conf", &p, &e), ERR_OK);
    expect(p, "ppp.methods", "mschapv2, eap-gtc");
    expect(p, "ppp.answer_prompts", "on");
    assert_int_equal(profile_secrets(p, NULL, "office.conf", &e), ERR_OK);
    assert_int_equal(profile_needs(p), PROFILE_NEEDS_PASSWORD);
    profile_free(p);
    h.grid = true;
    assert_int_equal(profile_parse(written(&h, HANDOUT_SEKISHO), "office.conf", &p, &e), ERR_OK);
    expect(p, "ppp.methods", "eap-gtc");
    expect(p, "ppp.answer_prompts", "off");
    assert_int_equal(profile_secrets(p, NULL, "office.conf", &e), ERR_OK);
    assert_int_equal(profile_needs(p), 0);
    profile_free(p);
    assert_non_null(strstr(steps(&h, HANDOUT_SEKISHO, false, HANDOUT_ENGLISH), "A grid is shown"));
    assert_null(strstr(text, "give the password"));
}

static void where_no_grid_can_be_shown_our_client_takes_what_was_read_at_the_portal(void **state)
{
    struct config_error e;
    struct profile *p = NULL;
    struct handout h = sample_split();
    (void)state;
    h.grid = true;
    h.logins = HANDOUT_MSCHAPV2;
    assert_int_equal(profile_parse(written(&h, HANDOUT_SEKISHO), "office.conf", &p, &e), ERR_OK);
    expect(p, "ppp.methods", "mschapv2");
    expect(p, "ppp.answer_prompts", "on");
    profile_free(p);
    assert_non_null(strstr(steps(&h, HANDOUT_SEKISHO, false, HANDOUT_ENGLISH), "Open the grid at the portal"));
    assert_null(strstr(text, "A grid is shown"));
}

/* Whoever has a pattern is told on every device that the password is another one each time. */
static void steps_of_stock_devices_speak_of_the_grid(void **state)
{
    static const enum handout_device read[] = {HANDOUT_WINDOWS, HANDOUT_MACOS,    HANDOUT_IOS,
                                               HANDOUT_LINUX,   HANDOUT_CHROMEOS, HANDOUT_ANDROID},
                                     alone[] = {HANDOUT_ROUTEROS, HANDOUT_OPENWRT};
    struct handout h = sample_split();
    (void)state;
    h.logins = HANDOUT_MSCHAPV2 | HANDOUT_EAP_GTC;
    for (int grid = 0; grid < 2; grid++) {
        h.grid = grid;
        for (size_t i = 0; i < ARRAY_LEN(read); i++) {
            const bool by_hand = read[i] == HANDOUT_ANDROID || (i + (size_t)grid) % 2 == 0;
            assert_int_equal(strstr(steps(&h, read[i], by_hand, HANDOUT_ENGLISH), "the grid at the portal") != NULL,
                             grid);
            assert_int_equal(strstr(steps(&h, read[i], by_hand, HANDOUT_JAPANESE), "グリッド") != NULL, grid);
        }
        for (size_t i = 0; i < ARRAY_LEN(alone); i++)
            assert_int_equal(strstr(steps(&h, alone[i], false, HANDOUT_ENGLISH), "cannot read a grid") != NULL, grid);
    }
}

static void our_client_imports_networkmanagers_file(void **state)
{
    char notes[PROFILE_NOTES_MAX];
    struct config_error e;
    struct profile *p = NULL;
    (void)state;
    struct handout h = sample_split();
    assert_int_equal(profile_import_nm(written(&h, HANDOUT_LINUX), "office.nmconnection", &p, notes, &e), ERR_OK);
    expect(p, "server", "vpn.example.net");
    expect(p, "user", "alice");
    expect(p, "psk", "correct horse");
    expect(p, "ppp.methods", "mschapv2");
    expect(p, "net.routes", "10.0.0.0/8, 192.168.7.0/24");
    expect(p, "net.domains", "corp.example, lab.example");
    profile_free(p);
}

/* Texts that neither has to refuse: at the ends of files, lines and quotes, anything may stand. */
static void random_text(const struct random *rng, char *out, size_t cap)
{
    static const char *const pieces[] = {"'",  "\"", "\\",     "$",      "`",   "&",        "<",      ">", ";",
                                         "#",  "=",  "[",      "]",      "{",   "}",        "(",      ")", " ",
                                         "%",  "!",  "\u2019", "\u2018", "é",   "関",       "a",      "0", "${",
                                         "$(", "]]", "--",     "\\n",    "]]>", "{server}", "\u05d0", "😀"};
    size_t n = 0;
    const uint32_t count = 1 + random_below(rng, 30);
    for (uint32_t i = 0; i < count; i++) {
        const char *piece = pieces[random_below(rng, ARRAY_LEN(pieces))];
        if (n + strlen(piece) + 1 < cap)
            n += (size_t)snprintf(out + n, cap - n, "%s", piece);
    }
}

static void any_user_and_key_come_back_the_same(void **state)
{
    struct random_test seed;
    struct random rng = {random_test_fill, &seed};
    char user[HANDOUT_TEXT_MAX], notes[PROFILE_NOTES_MAX], got[SCHEMA_TEXT_MAX];
    (void)state;
    random_test_init(&seed, 20261127);
    for (int i = 0; i < 2000; i++) {
        struct config_error e;
        struct profile *p = NULL;
        uint8_t key[CONFIG_SECRET_MAX];
        struct handout h = sample_split();
        random_text(&rng, user, sizeof user);
        const uint32_t n = 1 + random_below(&rng, 64);
        random_fill(&rng, key, n);
        h.user = h.name = user;
        h.psk = view_of(key, n);
        if (profile_import_nm(written(&h, HANDOUT_LINUX), "x", &p, notes, &e) != ERR_OK)
            fail_msg("round %d: %s", i, e.sentence);
        assert_string_equal(profile_get(p, "user", got), user);
        assert_int_equal(profile_secrets(p, NULL, "x", &e), ERR_OK);
        assert_true(view_equal(secret_view(&p->key), h.psk));
        profile_free(p);
        if (profile_parse(written(&h, HANDOUT_SEKISHO), "x", &p, &e) != ERR_OK)
            fail_msg("round %d: %s\n%s", i, e.sentence, text);
        assert_string_equal(profile_get(p, "user", got), user);
        assert_int_equal(profile_secrets(p, NULL, "x", &e), ERR_OK);
        assert_true(view_equal(secret_view(&p->key), h.psk));
        profile_free(p);
    }
}

/* A key has up to 256 bytes, and more as base64. */
static void the_longest_keys_come_back_the_same(void **state)
{
    char notes[PROFILE_NOTES_MAX];
    uint8_t key[CONFIG_SECRET_MAX];
    struct handout h = sample_split();
    (void)state;
    memset(key, 0xff, sizeof key);
    for (size_t n = 1; n <= sizeof key; n++) {
        struct config_error e;
        struct profile *p = NULL;
        h.psk = view_of(key, n);
        assert_int_equal(profile_import_nm(written(&h, HANDOUT_LINUX), "x", &p, notes, &e), ERR_OK);
        assert_int_equal(profile_secrets(p, NULL, "x", &e), ERR_OK);
        assert_true(view_equal(secret_view(&p->key), h.psk));
        profile_free(p);
        assert_int_equal(profile_parse(written(&h, HANDOUT_SEKISHO), "x", &p, &e), ERR_OK);
        assert_int_equal(profile_secrets(p, NULL, "x", &e), ERR_OK);
        assert_true(view_equal(secret_view(&p->key), h.psk));
        profile_free(p);
    }
}

/* ---- names ---- */

static void a_files_name_is_made_of_letters(void **state)
{
    static const struct {
        const char *name, *file;
    } names[] = {{"Office", "Office.ps1"}, {"../../etc/x", "etc-x.ps1"}, {"関所", "vpn.ps1"},   {"", "vpn.ps1"},
                 {"-rf", "rf.ps1"},        {"a  b", "a-b.ps1"},          {"a'$(x)", "a-x.ps1"}, {NULL, "vpn.ps1"}};
    char file[HANDOUT_FILENAME_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct handout h = {.name = names[i].name};
        assert_string_equal(handout_filename(&h, HANDOUT_WINDOWS, file), names[i].file);
    }
}

static void identifiers_stay_the_same(void **state)
{
    char one[UUID_TEXT_MAX], two[UUID_TEXT_MAX];
    (void)state;
    struct handout h = sample_split();
    assert_int_equal(uuid_of(&h, "vpn", one), ERR_OK);
    assert_int_equal(strlen(one), 36);
    assert_int_equal(one[14], '5');
    h.psk = view_str("another");
    assert_int_equal(uuid_of(&h, "vpn", two), ERR_OK);
    assert_string_equal(one, two);
    assert_int_equal(uuid_of(&h, "identity", two), ERR_OK);
    assert_string_not_equal(one, two);
    h.user = "bob";
    assert_int_equal(uuid_of(&h, "vpn", two), ERR_OK);
    assert_string_not_equal(one, two);
}

static void devices_are_found_by_their_words(void **state)
{
    enum handout_device found;
    (void)state;
    for (int d = 0; d < HANDOUT_DEVICES; d++) {
        assert_true(handout_find(handout_word((enum handout_device)d), &found));
        assert_int_equal(found, d);
    }
    assert_false(handout_find("amiga", &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_control_character_reaches_no_file),
        cmocka_unit_test(letters_of_all_scripts_are_taken),
        cmocka_unit_test(a_server_is_a_host_name_or_an_address),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_key_that_is_no_ascii_goes_only_where_bytes_go),
        cmocka_unit_test(some_devices_cannot_log_in_as_the_gateway_wants),
        cmocka_unit_test(a_variable_of_a_chromebook_is_no_user),
        cmocka_unit_test(a_chromebook_has_rules_for_certificates),
        cmocka_unit_test(networkmanager_connects_to_no_ipv6_address),
        cmocka_unit_test(windows_has_rules_for_names),
        cmocka_unit_test(without_a_proof_there_is_no_file),
        cmocka_unit_test(our_client_reads_its_profile),
        cmocka_unit_test(who_logs_in_by_a_grid_is_shown_one_by_our_client),
        cmocka_unit_test(where_no_grid_can_be_shown_our_client_takes_what_was_read_at_the_portal),
        cmocka_unit_test(steps_of_stock_devices_speak_of_the_grid),
        cmocka_unit_test(our_client_imports_networkmanagers_file),
        cmocka_unit_test(any_user_and_key_come_back_the_same),
        cmocka_unit_test(the_longest_keys_come_back_the_same),
        cmocka_unit_test(a_files_name_is_made_of_letters),
        cmocka_unit_test(identifiers_stay_the_same),
        cmocka_unit_test(devices_are_found_by_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
