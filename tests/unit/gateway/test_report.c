/* The event stream: what a line says, and what it cannot be made to say. */
#include "tests/test.h"

#include "gateway/gateway_internal.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

static char written[4096];

/* What report_write() puts on standard error. */
static const char *caught(const struct report *report, const struct report_line *line)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stderr);
    const int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    report_write(report, line);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    written[fread(written, 1, sizeof(written) - 1, file)] = '\0';
    fclose(file);
    return written;
}

static const struct report text = {CONFIG_LOG_TEXT, CONFIG_LOG_INFO}, json = {CONFIG_LOG_JSON, CONFIG_LOG_INFO};

static void a_line_names_session_user_peer_and_stage(void **state)
{
    (void)state;
    const char *said = caught(&text, &(struct report_line){.level = CONFIG_LOG_INFO,
                                                           .session = 12,
                                                           .type = "session-up",
                                                           .user = "alice",
                                                           .peer = "192.0.2.1:4500",
                                                           .stage = "ipcp",
                                                           .text = "has 10.0.0.2"});
    assert_non_null(
        strstr(said, " info session-up session=12 user=alice peer=192.0.2.1:4500 stage=ipcp: has 10.0.0.2\n"));
}

/* Which tells the time by itself, and shows warnings for "journalctl -p warning". */
static void a_line_for_the_journal_has_its_level_in_front_and_no_time(void **state)
{
    (void)state;
    const struct report journal = {CONFIG_LOG_TEXT, CONFIG_LOG_DEBUG, .journal = true};
    assert_string_equal(caught(&journal, &(struct report_line){.level = CONFIG_LOG_WARNING,
                                                               .type = "login-refused",
                                                               .user = "alice",
                                                               .text = "wrong password"}),
                        "<4>login-refused user=alice: wrong password\n");
    assert_string_equal(caught(&journal, &(struct report_line){.level = CONFIG_LOG_DEBUG, .type = "stage"}),
                        "<7>stage\n");
}

static void what_is_finer_than_the_level_is_not_written(void **state)
{
    (void)state;
    assert_string_equal(caught(&text, &(struct report_line){.level = CONFIG_LOG_DEBUG, .type = "stage"}), "");
}

static void a_user_name_cannot_pass_for_other_fields(void **state)
{
    (void)state;
    const char *said = caught(&text, &(struct report_line){.level = CONFIG_LOG_WARNING,
                                                           .type = "login-refused",
                                                           .user = "bob\" peer=203.0.113.1 cause=\\",
                                                           .peer = "192.0.2.1:4500"});
    assert_non_null(strstr(said, " user=\"bob\\\" peer=203.0.113.1 cause=\\\\\" peer=192.0.2.1:4500\n"));
}

static void a_json_line_is_one_object_with_the_same_words(void **state)
{
    (void)state;
    const char *said = caught(&json, &(struct report_line){.level = CONFIG_LOG_WARNING,
                                                           .session = 7,
                                                           .type = "login-refused",
                                                           .user = "a \"b\"",
                                                           .cause = "auth-password",
                                                           .text = "no"});
    json_error_t error;
    json_t *object = json_loads(said, 0, &error);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "user")), "a \"b\"");
    assert_string_equal(json_string_value(json_object_get(object, "level")), "warning");
    assert_string_equal(json_string_value(json_object_get(object, "cause")), "auth-password");
    assert_int_equal(json_integer_value(json_object_get(object, "session")), 7);
    assert_null(json_object_get(object, "peer"));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_session_user_peer_and_stage),
        cmocka_unit_test(a_line_for_the_journal_has_its_level_in_front_and_no_time),
        cmocka_unit_test(what_is_finer_than_the_level_is_not_written),
        cmocka_unit_test(a_user_name_cannot_pass_for_other_fields),
        cmocka_unit_test(a_json_line_is_one_object_with_the_same_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
