/* The schema, the example file, the loader, and the checks against the host. */
#include "tests/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/config_internal.h"

static struct config *parsed(const char *text)
{
    struct config *c = NULL;
    struct config_error e;
    char sentence[CONFIG_ERROR_TEXT_MAX];
    if (config_parse(view_str(text), "test", &c, &e) != ERR_OK)
        fail_msg("%s", config_error_text(&e, sentence));
    return c;
}

static void every_fallback_of_the_schema_is_a_good_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_schema.key_count; i++) {
        const struct schema_key *key = &config_schema.keys[i];
        char again[SCHEMA_TEXT_MAX];
        static union {
            struct config config;
            struct config_psk psk;
            struct config_pool pool;
        } base;
        struct config_error e;
        if (key->fallback[0] != '\0' && value_set_text(key, key->fallback, &base, key->word, &e) != ERR_OK)
            fail_msg("%s: %s", config_key(i), e.sentence);
        value_fallback(key, &base);
        assert_string_equal(value_text(key, &base, again), key->fallback);
    }
}

static void keys_are_named_by_section_and_word(void **state)
{
    (void)state;
    char name[CONFIG_NAME_MAX];
    size_t i = 0;
    for (; config_key(i) != NULL; i++)
        assert_string_equal(config_key(i), schema_key_name(&config_schema, &config_schema.keys[i], name));
    assert_int_equal(i, config_schema.key_count);
    assert_string_equal(config_key(0), "listen");
}

static void an_empty_file_is_a_whole_configuration(void **state)
{
    (void)state;
    struct config *c = parsed("");
    assert_int_equal(c->psk_count, 1);
    assert_string_equal(c->psks[0].name, "default");
    assert_string_equal(c->psks[0].file, "/etc/sekisho/psk");
    assert_int_equal(c->pool_count, 1);
    assert_int_equal(c->pools[0].ranges.range[0].first, 0xac100202);
    assert_int_equal(ip4_value(&c->pools[0].gateway), 0xac100201);
    assert_int_equal(c->ike.lifetime, 8 * 3600);
    assert_int_equal(c->ppp.auth.method[0], CONFIG_AUTH_MSCHAPV2);
    assert_int_equal(c->ppp.auth.method[1], CONFIG_AUTH_CHAP_MD5);
    assert_int_equal(c->ppp.auth.method[2], CONFIG_AUTH_NONE);
    config_free(c);
}

static void a_list_may_be_as_long_as_its_limit_and_no_longer(void **state)
{
    (void)state;
    char text[2048];
    struct config *c = NULL;
    struct config_error e;
    for (size_t want = CONFIG_ROUTES_MAX; want <= CONFIG_ROUTES_MAX + 1; want++) {
        size_t n = (size_t)snprintf(text, sizeof text, "net { routes = { ");
        for (size_t i = 0; i < want; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s10.%zu.0.0/16", i ? ", " : "", i);
        snprintf(text + n, sizeof text - n, " } }");
        enum err result = config_parse(view_str(text), "test", &c, &e);
        assert_int_equal(result, want <= CONFIG_ROUTES_MAX ? ERR_OK : ERR_INVALID);
        if (result == ERR_OK)
            assert_int_equal(c->net.routes.count, want);
        else
            assert_string_equal(e.sentence, "There are too many networks; 32 are allowed.");
        if (result == ERR_OK)
            config_free(c);
    }
}

/* The example with every number sign before a key taken off: each key and each kind of value is exercised. */
static void the_example_file_parses_as_it_is_and_with_every_line_in_effect(void **state)
{
    (void)state;
    static char text[32768], live[32768];
    struct writer w = wr_init(text, sizeof text - 1);
    assert_int_equal(config_example(&w), ERR_OK);
    text[w.n] = '\0';
    config_free(parsed(text));
    size_t n = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *sign = strchr(line, '#');
        bool taken_off = sign != NULL && sign[1] != ' ' && strstr(line, "secret = ") == NULL;
        if (taken_off)
            *sign = ' ';
        n += (size_t)snprintf(live + n, sizeof live - n, "%s\n", line);
    }
    struct config *c = parsed(live);
    assert_int_equal(c->listen.count, 1);
    assert_string_equal(c->net.outside, "eth0");
    config_free(c);
}

static void the_example_is_refused_by_a_buffer_too_small(void **state)
{
    (void)state;
    char text[100];
    struct writer w = wr_init(text, sizeof text);
    assert_int_equal(config_example(&w), ERR_LIMIT);
}

static void a_pool_on_a_network_of_the_host_is_refused(void **state)
{
    (void)state;
    struct config *c = parsed("pool a { range = \"192.168.1.100-192.168.1.150\"\n gateway = 192.168.0.1 }");
    struct config_error e;
    struct ip_prefix local[2] = {{.bits = 24}, {.bits = 8}};
    assert_int_equal(ip_parse("192.168.1.7", &local[0].addr), ERR_OK);
    assert_int_equal(ip_parse("10.0.0.1", &local[1].addr), ERR_OK);
    assert_int_equal(config_check_host(c, "f", local, 2, &e), ERR_EXISTS);
    assert_string_equal(e.key, "pool \"a\".range");
    assert_int_equal(e.line, 1);
    assert_string_equal(e.sentence, "192.168.1.100-192.168.1.150 collides with the host's own network 192.168.1.7/24; "
                                    "take a range that is used nowhere else.");
    local[0].bits = 25; /* 192.168.1.0 to .127 still meets it */
    assert_int_equal(config_check_host(c, "f", local, 2, &e), ERR_EXISTS);
    local[0].bits = 26; /* .0 to .63 does not */
    assert_int_equal(config_check_host(c, "f", local, 2, &e), ERR_OK);
    local[0].bits = 0;
    assert_int_equal(config_check_host(c, "f", local, 2, &e), ERR_EXISTS);
    config_free(c);
}

static void a_range_becomes_exactly_its_prefixes(void **state)
{
    (void)state;
    struct ip_prefix p[CONFIG_PREFIXES_MAX];
    const struct config_range whole = {0xac100200, 0xac1002ff}, odd = {0xac100202, 0xac1002fe}, all = {1, 0xfffffffe},
                              world = {0, 0xffffffff};
    assert_int_equal(config_range_prefixes(&whole, p), 1);
    assert_int_equal(p[0].bits, 24);
    assert_int_equal(config_range_prefixes(&odd, p), 13);
    assert_int_equal(ip4_value(&p[0].addr), 0xac100202);
    assert_int_equal(p[0].bits, 31);
    assert_int_equal(p[12].bits, 32);
    assert_int_equal(config_range_prefixes(&all, p), CONFIG_PREFIXES_MAX);
    assert_int_equal(config_range_prefixes(&world, p), 1);
    assert_int_equal(p[0].bits, 0);
}

static void name_servers_of_no_use_to_others_are_passed_over(void **state)
{
    (void)state;
    struct ip_addr out[CONFIG_SERVERS_MAX];
    const char *text = "# comment\nnameserver 127.0.0.53\nsearch lan\nnameserver\t192.0.2.1\r\nnameserver fe80::1\n"
                       "nameserverx 1.1.1.1\n nameserver 192.0.2.2 # two\nnameserver 192.0.2.3";
    assert_int_equal(config_resolv_parse(view_str(text), out), 2);
    assert_int_equal(ip4_value(&out[0]), 0xc0000201);
    assert_int_equal(ip4_value(&out[1]), 0xc0000202);
    assert_int_equal(config_resolv_parse(view_str("nameserver 127.0.0.53\n"), out), 0);
}

/* ---- the loader ---- */

static char folder[] = "/tmp/sekisho-config-XXXXXX";

static const char *put(const char *name, mode_t mode, const char *text)
{
    static char path[2][256];
    static int turn;
    char *p = path[turn++ % 2];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    (void)unlink(p);
    FILE *f = fopen(p, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(p, mode), 0);
    return p;
}

static void expect_refusal(const char *conf, const char *sentence)
{
    struct config *c = NULL;
    struct config_error e;
    enum err result = config_load(conf, &c, &e);
    assert_true(result == ERR_INVALID || result == ERR_SYSTEM);
    assert_null(c);
    if (strstr(e.sentence, sentence) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", e.sentence, sentence);
}

static const char *conf_with_psk(const char *psk)
{
    char text[512];
    snprintf(text, sizeof text, "dns = { 192.0.2.53 }\nike { psk_file = \"%s\" }\n", psk);
    return put("conf", 0644, text);
}

static void a_secret_is_read_from_its_file_without_the_line_end(void **state)
{
    (void)state;
    struct config *c = NULL;
    struct config_error e;
    assert_int_equal(config_load(conf_with_psk(put("psk", 0600, "open sesame\r\n")), &c, &e), ERR_OK);
    assert_int_equal(c->psks[0].key.n, 11);
    assert_memory_equal(c->psks[0].key.p, "open sesame", 11);
    assert_int_equal(c->pools[0].dns.count, 1);
    config_free(c);
}

static void secrets_that_others_may_read_are_refused(void **state)
{
    (void)state;
    expect_refusal(conf_with_psk(put("psk", 0644, "open sesame\n")), "Others may read ");
    expect_refusal(put("conf", 0644, "psk a { secret = \"open sesame\" }"), "Others may read this configuration");
    struct config *c = NULL;
    struct config_error e;
    assert_int_equal(config_load(put("conf", 0600, "psk a { secret = \"open sesame\" }"), &c, &e), ERR_OK);
    assert_int_equal(c->psks[0].key.n, 11);
    config_free(c);
}

static void secret_files_that_hold_no_secret_are_refused(void **state)
{
    (void)state;
    expect_refusal(conf_with_psk(put("psk", 0600, "\n")), "The file has 0 bytes in its line");
    expect_refusal(conf_with_psk(put("psk", 0600, "one\ntwo\n")), "one line of text");
    expect_refusal(conf_with_psk(folder), "is not a regular file");
    expect_refusal(conf_with_psk("/nonexistent/psk"), "cannot be read: No such file");
    expect_refusal("/nonexistent/conf", "cannot be read: No such file");
    char *big = calloc(1, 2000);
    memset(big, 'a', 1999);
    expect_refusal(conf_with_psk(put("psk", 0600, big)), "is larger than 1024 bytes");
    free(big);
}

static void what_is_not_a_configuration_at_all_is_refused(void **state)
{
    (void)state;
    struct config *c = NULL;
    struct config_error e;
    static uint8_t big[CONFIG_SIZE_MAX + 1];
    memset(big, '\n', sizeof big);
    assert_int_equal(config_parse(VIEW(big), "big", &c, &e), ERR_INVALID);
    assert_string_equal(e.sentence, "The file is larger than 256 KB, which is the limit.");
    big[0] = 0;
    assert_int_equal(config_parse(view_of(big, 1), "zero", &c, &e), ERR_INVALID);
    assert_string_equal(e.sentence, "There is a control character here; the file must be plain text.");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[256];
    static const char *const names[] = {"conf", "psk"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fallback_of_the_schema_is_a_good_value),
        cmocka_unit_test(keys_are_named_by_section_and_word),
        cmocka_unit_test(an_empty_file_is_a_whole_configuration),
        cmocka_unit_test(a_list_may_be_as_long_as_its_limit_and_no_longer),
        cmocka_unit_test(the_example_file_parses_as_it_is_and_with_every_line_in_effect),
        cmocka_unit_test(the_example_is_refused_by_a_buffer_too_small),
        cmocka_unit_test(a_pool_on_a_network_of_the_host_is_refused),
        cmocka_unit_test(a_range_becomes_exactly_its_prefixes),
        cmocka_unit_test(name_servers_of_no_use_to_others_are_passed_over),
        cmocka_unit_test(a_secret_is_read_from_its_file_without_the_line_end),
        cmocka_unit_test(secrets_that_others_may_read_are_refused),
        cmocka_unit_test(secret_files_that_hold_no_secret_are_refused),
        cmocka_unit_test(what_is_not_a_configuration_at_all_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
