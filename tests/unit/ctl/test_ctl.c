/* Requests, replies, objects and lines, there and back. */
#include "tests/test.h"

#include "ctl/ctl.h"

static struct ctl_error e;

static enum err parse(const char *line, struct ctl_request **r)
{
    *r = NULL;
    return ctl_request_parse(view_str(line), r, &e);
}

static void refused(const char *line, const char *sentence)
{
    struct ctl_request *r;
    assert_int_not_equal(parse(line, &r), ERR_OK);
    assert_null(r);
    assert_string_equal(e.code, CTL_CODE_REQUEST);
    if (strstr(e.sentence, sentence) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", e.sentence, sentence);
}

static void a_request_comes_back_as_it_was_made(void **state)
{
    (void)state;
    struct ctl_request *sent = ctl_request_new(CTL_VERB_USER_ADD), *got = NULL;
    assert_int_equal(ctl_set_text(sent, CTL_ARG_NAME, "alice"), ERR_OK);
    assert_int_equal(ctl_set_text(sent, CTL_ARG_PASSWORD, "p\"\\ \xc3\xa4"), ERR_OK);
    assert_int_equal(ctl_set_text(sent, CTL_ARG_NAME, "Alice"), ERR_OK); /* the last one counts */
    assert_int_equal(ctl_set_number(sent, CTL_ARG_MAX_SESSIONS, 3), ERR_OK);
    assert_int_equal(ctl_set_flag(sent, CTL_ARG_ENABLED, true), ERR_OK);
    assert_int_equal(ctl_set_text(sent, CTL_ARG_PASSWORD, "\xff"), ERR_INVALID);
    char *line = ctl_request_line(sent);
    assert_non_null(line);
    assert_int_equal(line[strlen(line) - 1], '\n');
    assert_int_equal(parse(line, &got), ERR_OK);
    assert_int_equal(ctl_request_verb(got), CTL_VERB_USER_ADD);
    assert_string_equal(ctl_text(got, CTL_ARG_NAME), "Alice");
    assert_string_equal(ctl_text(got, CTL_ARG_PASSWORD), "p\"\\ \xc3\xa4");
    assert_int_equal(ctl_number(got, CTL_ARG_MAX_SESSIONS), 3);
    assert_true(ctl_flag(got, CTL_ARG_ENABLED));
    assert_false(ctl_given(got, CTL_ARG_ADDRESS));
    assert_string_equal(ctl_text(got, CTL_ARG_ADDRESS), "");
    assert_int_equal(ctl_number(got, CTL_ARG_EXPIRES), 0);
    ctl_line_free(line);
    ctl_request_free(sent);
    ctl_request_free(got);
}

static void a_request_without_arguments_is_short(void **state)
{
    (void)state;
    struct ctl_request *r;
    assert_int_equal(parse("{\"v\":1,\"verb\":\"status\"}\n", &r), ERR_OK);
    assert_int_equal(ctl_request_verb(r), CTL_VERB_STATUS);
    ctl_request_free(r);
}

static void bad_requests_are_refused_with_a_sentence(void **state)
{
    (void)state;
    refused("", "not JSON");
    refused("{", "not JSON");
    refused("[1]", "not a JSON object");
    refused("{} {}", "not JSON");
    refused("{\"v\":1,\"v\":1,\"verb\":\"status\"}", "not JSON");
    refused("{\"verb\":\"status\"}", "\"v\": 1");
    refused("{\"v\":2,\"verb\":\"status\"}", "\"v\": 1");
    refused("{\"v\":1}", "no verb");
    refused("{\"v\":1,\"verb\":7}", "no verb");
    refused("{\"v\":1,\"verb\":\"user.become\"}", "no verb");
    refused("{\"v\":1,\"verb\":\"status\",\"args\":[]}", "must be a JSON object");
    refused("{\"v\":1,\"verb\":\"status\",\"args\":{\"name\":\"a\"}}", "status has no argument of that name");
    refused("{\"v\":1,\"verb\":\"user.del\"}", "user.del needs the argument name");
    refused("{\"v\":1,\"verb\":\"user.del\",\"args\":{\"name\":7}}", "name must be text");
    refused("{\"v\":1,\"verb\":\"user.del\",\"args\":{\"name\":\"a\\u0000b\"}}", "not JSON");
    refused("{\"v\":1,\"verb\":\"session.show\",\"args\":{\"session\":-1}}", "from 0 to 4294967295");
    refused("{\"v\":1,\"verb\":\"session.show\",\"args\":{\"session\":4294967296}}", "from 0 to 4294967295");
    refused("{\"v\":1,\"verb\":\"session.show\",\"args\":{\"session\":\"1\"}}", "from 0 to");
    refused("{\"v\":1,\"verb\":\"user.set\",\"args\":{\"name\":\"a\",\"enabled\":1}}", "true or false");
}

static void limits_are_told_by_their_number(void **state)
{
    (void)state;
    static char line[CTL_REQUEST_MAX + 2];
    memset(line, ' ', sizeof line - 1);
    refused(line, "longer than 65536 bytes");
    snprintf(line, sizeof line, "{\"v\":1,\"verb\":\"user.del\",\"args\":{\"name\":\"%0128d\"}}", 1);
    refused(line, "name is longer than 127 bytes");
    refused("[[[[[[[[[", "deeper than 8");
    struct ctl_request *r;
    assert_int_equal(parse("{\"v\":1,\"verb\":\"user.del\",\"args\":{\"name\":\"\\\"[[[[[[[[[[\"}}", &r), ERR_OK);
    ctl_request_free(r);
}

/* The longest reply, with its newline, and one byte more. */
static void a_reply_that_nobody_would_read_is_a_refusal(void **state)
{
    (void)state;
    static char text[CTL_REPLY_MAX];
    json_t *data = NULL;
    char *line = ctl_reply_ok(ctl_data("text", json_string("")));
    size_t n = CTL_REPLY_MAX - strlen(line);
    ctl_line_free(line);
    memset(text, 'x', n);
    line = ctl_reply_ok(ctl_data("text", json_string(text)));
    assert_int_equal(strlen(line), CTL_REPLY_MAX);
    ctl_line_free(line);

    text[n] = 'x';
    line = ctl_reply_ok(ctl_data("text", json_string(text)));
    assert_int_equal(ctl_reply_parse(view_str(line), &data, &e), ERR_STATE);
    assert_string_equal(e.code, "failed");
    assert_string_equal(e.told.word, "reply-long");
    assert_non_null(strstr(e.sentence, "longer than 16777216 bytes"));
    ctl_line_free(line);
}

static void replies_carry_data_or_an_error(void **state)
{
    (void)state;
    json_t *data = NULL;
    char *line = ctl_reply_ok(ctl_data("kicked", json_integer(2)));
    assert_string_equal(line, "{\"ok\":true,\"data\":{\"kicked\":2}}\n");
    assert_int_equal(ctl_reply_parse(view_str(line), &data, &e), ERR_OK);
    assert_int_equal(json_integer_value(json_object_get(data, "kicked")), 2);
    json_decref(data);
    ctl_line_free(line);

    line = ctl_reply_ok(NULL);
    assert_string_equal(line, "{\"ok\":true,\"data\":{}}\n");
    ctl_line_free(line);

    line = ctl_reply_error(CTL_CODE_NOT_FOUND, "There is no user \xff.");
    assert_int_equal(ctl_reply_parse(view_str(line), &data, &e), ERR_STATE);
    assert_string_equal(e.code, "not-found");
    assert_string_equal(e.sentence, "There is no user ?.");
    ctl_line_free(line);

    static const char *const bad[] = {"",
                                      "7",
                                      "{}",
                                      "{\"ok\":true}",
                                      "{\"ok\":false}",
                                      "{\"ok\":7,\"data\":[]}",
                                      "{\"ok\":false,\"error\":{\"code\":\"\",\"sentence\":\"No.\"}}",
                                      "{\"ok\":false,\"error\":{\"code\":\"failed\",\"sentence\":\"\"}}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(ctl_reply_parse(view_str(bad[i]), &data, &e), ERR_MALFORMED);
        assert_string_not_equal(e.sentence, "");
    }
    assert_null(ctl_data("users", NULL));
}

static void an_event_is_a_line_of_its_own(void **state)
{
    (void)state;
    struct ctl_event event = {.time = 1700000000123, .type = "session-up", .session = 5, .user = "alice"}, got;
    json_t *data = NULL;
    char *line = ctl_event_line(ctl_event_json(&event));
    assert_int_equal(ctl_reply_parse(view_str(line), &data, &e), ERR_OK);
    assert_int_equal(ctl_event_read(data, &got), ERR_OK);
    assert_memory_equal(&event, &got, sizeof got);
    json_decref(data);
    ctl_line_free(line);
}

static void objects_come_back_as_they_were(void **state)
{
    (void)state;
    struct ctl_session s = {.id = 7,
                            .user = "alice",
                            .address = "10.0.0.2",
                            .bytes_in = UINT64_C(1) << 40,
                            .nat = true},
                       s2;
    json_t *json = ctl_session_json(&s);
    assert_int_equal(ctl_session_read(json, &s2), ERR_OK);
    assert_memory_equal(&s, &s2, sizeof s);
    assert_int_equal(json_object_size(json), 20);
    json_decref(json);
}

static void an_engine_tells_its_link_and_its_progress(void **state)
{
    (void)state;
    struct ctl_link link = {.profile = "office", .state = "up", .since = 1700000000, .rate_in = 5, .nat = true}, link2;
    struct ctl_progress step = {.at = 112, .type = "failed", .cause = "wrong-psk", .retry = 2000}, step2;
    json_t *json = ctl_link_json(&link);
    assert_int_equal(ctl_link_read(json, &link2), ERR_OK);
    assert_memory_equal(&link, &link2, sizeof link);
    json_decref(json);
    json = ctl_progress_json(&step);
    assert_int_equal(ctl_progress_read(json, &step2), ERR_OK);
    assert_memory_equal(&step, &step2, sizeof step);
    json_decref(json);
}

static void readers_forgive_what_is_new_or_missing_but_not_what_is_wrong(void **state)
{
    (void)state;
    struct ctl_user u;
    json_t *json = json_pack("{s:s, s:[i]}", "name", "bob", "groups", 7);
    assert_int_equal(ctl_user_read(json, &u), ERR_OK);
    assert_string_equal(u.name, "bob");
    assert_false(u.enabled);
    json_object_set_new(json, "expires", json_string("never"));
    assert_int_equal(ctl_user_read(json, &u), ERR_MALFORMED);
    json_object_set_new(json, "expires", json_integer(-1));
    assert_int_equal(ctl_user_read(json, &u), ERR_MALFORMED);
    json_decref(json);
    assert_int_equal(ctl_user_read(NULL, &u), ERR_MALFORMED);
}

static void text_that_is_no_utf8_becomes_question_marks(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } pairs[] = {
        {"\xc3\xa4 \xe9\x96\xa2 \xf0\x9f\x98\x80", "\xc3\xa4 \xe9\x96\xa2 \xf0\x9f\x98\x80"},
        {"\xff", "?"},
        {"a\xc3", "a?"},
        {"\xc0\xaf", "??"},           /* overlong */
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct ctl_user u = {0}, back;
        snprintf(u.name, sizeof u.name, "%s", pairs[i].in);
        json_t *json = ctl_user_json(&u);
        assert_int_equal(ctl_user_read(json, &back), ERR_OK);
        assert_string_equal(back.name, pairs[i].out);
        json_decref(json);
    }
}

static void lines_come_whole_however_the_bytes_came(void **state)
{
    (void)state;
    struct ctl_lines l;
    struct view line;
    ctl_lines_init(&l, 10);
    assert_false(ctl_lines_next(&l, &line));
    assert_int_equal(ctl_lines_feed(&l, view_str("ab")), ERR_OK);
    assert_false(ctl_lines_next(&l, &line));
    assert_int_equal(ctl_lines_feed(&l, view_str("c\n\ndef\nghi")), ERR_OK);
    static const char *const want[] = {"abc", "", "def"};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(ctl_lines_next(&l, &line));
        assert_true(view_equal(line, view_str(want[i])));
    }
    assert_false(ctl_lines_next(&l, &line));
    assert_int_equal(ctl_lines_feed(&l, view_str("jklmno\n")), ERR_OK); /* ten with its end */
    assert_true(ctl_lines_next(&l, &line));
    assert_int_equal(ctl_lines_feed(&l, view_str("0123456789")), ERR_OK);
    assert_int_equal(ctl_lines_feed(&l, view_str("x")), ERR_LIMIT);
    assert_int_equal(ctl_lines_feed(&l, view_str("\n")), ERR_LIMIT);
    assert_false(ctl_lines_next(&l, &line));
    ctl_lines_done(&l);
}

static void root_and_the_gateway_itself_may_ask_others_by_group(void **state)
{
    (void)state;
    const struct ctl_peer root = {0, 0}, own = {990, 990}, other = {1000, 1000};
    assert_true(ctl_allowed(&root, 990, false));
    assert_true(ctl_allowed(&own, 990, false));
    assert_false(ctl_allowed(&other, 990, false));
    assert_true(ctl_allowed(&other, 990, true));
}

static void verbs_and_errors_have_their_words(void **state)
{
    (void)state;
    assert_string_equal(ctl_verb_word(CTL_VERB_CONFIG_RELOAD), "config.reload");
    assert_true(ctl_verb_changes(CTL_VERB_USER_ADD));
    assert_false(ctl_verb_changes(CTL_VERB_STATUS));
    assert_string_equal(ctl_arg_word(CTL_ARG_MAX_SESSIONS), "max_sessions");
    assert_string_equal(ctl_code_of(ERR_NOTFOUND), CTL_CODE_NOT_FOUND);
    assert_string_equal(ctl_code_of(ERR_SYSTEM), CTL_CODE_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_back_as_it_was_made),
        cmocka_unit_test(a_request_without_arguments_is_short),
        cmocka_unit_test(bad_requests_are_refused_with_a_sentence),
        cmocka_unit_test(limits_are_told_by_their_number),
        cmocka_unit_test(replies_carry_data_or_an_error),
        cmocka_unit_test(a_reply_that_nobody_would_read_is_a_refusal),
        cmocka_unit_test(an_event_is_a_line_of_its_own),
        cmocka_unit_test(objects_come_back_as_they_were),
        cmocka_unit_test(an_engine_tells_its_link_and_its_progress),
        cmocka_unit_test(readers_forgive_what_is_new_or_missing_but_not_what_is_wrong),
        cmocka_unit_test(text_that_is_no_utf8_becomes_question_marks),
        cmocka_unit_test(lines_come_whole_however_the_bytes_came),
        cmocka_unit_test(root_and_the_gateway_itself_may_ask_others_by_group),
        cmocka_unit_test(verbs_and_errors_have_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
