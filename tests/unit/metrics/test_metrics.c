/* The text that Prometheus reads, byte for byte, and what becomes of requests for it. */
#include "tests/test.h"

#include "metrics/metrics.h"

static void families_have_help_type_and_escaped_labels(void **state)
{
    (void)state;
    uint8_t room[1024];
    struct writer w = wr_init(room, sizeof room);
    metrics_one(&w, "a_total", METRICS_COUNTER, "Back\\slash and\nline.", 7);
    metrics_family(&w, "b", METRICS_GAUGE, "B.");
    const struct metrics_label labels[] = {{"pool", "a\"b\\c\nd\xff"}, {"kind", ""}};
    metrics_sample(&w, "b", labels, 2, UINT64_MAX);
    static const char want[] = "# HELP a_total Back\\\\slash and\\nline.\n"
                               "# TYPE a_total counter\n"
                               "a_total 7\n"
                               "# HELP b B.\n"
                               "# TYPE b gauge\n"
                               "b{pool=\"a\\\"b\\\\c\\nd?\",kind=\"\"} 18446744073709551615\n";
    assert_true(wr_ok(&w));
    assert_int_equal(w.n, strlen(want));
    assert_memory_equal(room, want, w.n);
}

static enum metrics_answer judge(const char *head)
{
    return metrics_judge(view_str(head));
}

static void a_request_is_judged_when_its_head_is_whole(void **state)
{
    (void)state;
    assert_int_equal(judge(""), METRICS_WAIT);
    assert_int_equal(judge("GET /metrics HTTP/1.1\r\nHost: x\r\n"), METRICS_WAIT);
    assert_int_equal(judge("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), METRICS_GIVE);
    assert_int_equal(judge("GET /metrics?x=y HTTP/1.0\n\n"), METRICS_GIVE);
    assert_int_equal(judge("HEAD /metrics HTTP/1.1\r\n\r\n"), METRICS_GIVE_HEAD);
    assert_int_equal(judge("GET / HTTP/1.1\r\n\r\n"), METRICS_NOWHERE);
    assert_int_equal(judge("GET /metricsx HTTP/1.1\r\n\r\n"), METRICS_NOWHERE);
    assert_int_equal(judge("get /metrics HTTP/1.1\r\n\r\n"), METRICS_NOT_SO);
    assert_int_equal(judge("POST /metrics HTTP/1.1\r\n\r\n"), METRICS_NOT_SO);
    assert_int_equal(judge("GET /metrics\r\n\r\n"), METRICS_BAD);
    assert_int_equal(judge("GET  /metrics HTTP/1.1\r\n\r\n"), METRICS_BAD);
    assert_int_equal(judge("GET /metrics HTTP/2.0\r\n\r\n"), METRICS_BAD);
    assert_int_equal(judge("\r\n\r\n"), METRICS_BAD);
    static char endless[METRICS_REQUEST_MAX + 1];
    memset(endless, 'a', METRICS_REQUEST_MAX);
    assert_int_equal(judge(endless), METRICS_TOO_LARGE);
    endless[METRICS_REQUEST_MAX - 1] = '\0';
    assert_int_equal(judge(endless), METRICS_WAIT);
}

static void replies_say_how_long_they_are_and_close(void **state)
{
    (void)state;
    uint8_t room[512];
    struct writer w = wr_init(room, sizeof room);
    metrics_reply(&w, METRICS_GIVE, 42);
    static const char want[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                               "Content-Length: 42\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
    assert_int_equal(w.n, strlen(want));
    assert_memory_equal(room, want, w.n);
    w = wr_init(room, sizeof room);
    metrics_reply(&w, METRICS_NOT_SO, 42);
    wr_u8(&w, 0);
    assert_non_null(strstr((char *)room, "HTTP/1.1 405 Method Not Allowed\r\n"));
    assert_non_null(strstr((char *)room, "Allow: GET, HEAD\r\n"));
    assert_non_null(strstr((char *)room, "Content-Length: 23\r\n"));
    assert_non_null(strstr((char *)room, "\r\n\r\n405 Method Not Allowed\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_have_help_type_and_escaped_labels),
        cmocka_unit_test(a_request_is_judged_when_its_head_is_whole),
        cmocka_unit_test(replies_say_how_long_they_are_and_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
