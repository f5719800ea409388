/* The object by itself: what options it takes, how it waits, how it fails, with nobody on the other side. */
#include "tests/test.h"

#include <poll.h>
#include <time.h>

#include "net/net.h"
#include "sekisho/sekisho.h"

#define NOBODY   "127.0.0.3"     /* no server answers there */
#define PATIENCE (90 * USEC_SEC) /* for what takes a moment, on a machine that is busy */

static struct sekisho_options options;
static char why[SEKISHO_TEXT];

static int begin(void **state)
{
    (void)state;
    sekisho_options_init(&options);
    options.server = NOBODY;
    options.psk = "key";
    options.psk_size = 3;
    options.user = "alice";
    options.password = "secret";
    options.ports_free = true;
    options.raw_esp = false;
    return 0;
}

static void expect_refused(const char *word)
{
    assert_null(sekisho_new(&options, why, sizeof(why)));
    if (!strstr(why, word))
        fail_msg("\"%s\" does not say \"%s\"", why, word);
    begin(NULL);
}

static void what_cannot_be_taken_is_told_in_a_sentence(void **state)
{
    (void)state;
    options.server = NULL;
    expect_refused("server");
    options.user = NULL;
    expect_refused("user");
    options.psk = NULL;
    expect_refused("key");
    options.policy = "ancient";
    expect_refused("ancient");
    options.encapsulation = "perhaps";
    expect_refused("perhaps");
    options.methods = "mschapv2,telepathy";
    expect_refused("telepathy");
    options.methods = "eap-tls";
    expect_refused("EAP-TLS");
    options.local = "here";
    expect_refused("here");
    options.revocation = "Refuse";
    expect_refused("Refuse");
    options.methods = "eap-tls"; /* with the key in a file of its own */
    options.certificate = options.private_key = "nothing";
    options.certificate_size = options.private_key_size = 7;
    expect_refused("certificate");
    options.address = "fe80::1";
    expect_refused("fe80::1");
    options.encapsulation = "off"; /* and raw sockets are not allowed */
    expect_refused("ESP");
    options.tun = 0;
    expect_refused("TUN");
}

static usec_t late; /* how much later than asked for this busy machine has given the object its turns */

static void wait_and_run(struct sekisho *s)
{
    const int due = sekisho_timeout_ms(s), wait = due < 0 || due > 100 ? 100 : due;
    const usec_t start = clock_now();
    struct pollfd fd = {.fd = sekisho_fd(s), .events = POLLIN};
    poll(&fd, 1, wait);
    assert_int_equal(sekisho_run(s), 0);
    const usec_t took = clock_now() - start, asked = (usec_t)wait * USEC_MSEC;
    late += took > asked ? took - asked : 0;
}

/* Runs it until an event of this type, or for a time. */
static bool run_until(struct sekisho *s, enum sekisho_event_type type, struct sekisho_event *event, usec_t span)
{
    const usec_t end = clock_now() + span;
    for (;;) {
        while (sekisho_event(s, event))
            if (event->type == type)
                return true;
        if (clock_now() >= end)
            return false;
        wait_and_run(s);
    }
}

static void nobody_answers_is_told_within_15_seconds(void **state)
{
    (void)state;
    struct sekisho_event event;
    struct sekisho *s = sekisho_new(&options, why, sizeof(why));
    assert_non_null(s);
    assert_int_equal(sekisho_timeout_ms(s), -1);
    late = 0;
    assert_int_equal(sekisho_connect(s), 0);
    assert_true(sekisho_connect(s) < 0);
    assert_true(run_until(s, SEKISHO_STEP, &event, PATIENCE));
    assert_non_null(strstr(event.detail, NOBODY));
    assert_non_null(strstr(event.detail, "ESP in UDP"));
    assert_true(run_until(s, SEKISHO_FAILED, &event, PATIENCE));
    assert_in_range(event.at_ms, 5000, 15000 + late / USEC_MSEC);
    assert_string_equal(event.cause, "ike-no-answer");
    assert_int_equal(event.status, 10);
    assert_true(run_until(s, SEKISHO_ENDED, &event, 0));
    assert_int_equal(sekisho_timeout_ms(s), -1);
    sekisho_free(s);
}

static void a_name_that_does_not_exist_is_told(void **state)
{
    (void)state;
    struct sekisho_event event;
    options.server = "nowhere.invalid"; /* RFC 2606 */
    struct sekisho *s = sekisho_new(&options, why, sizeof(why));
    assert_non_null(s);
    sekisho_connect(s);
    assert_true(run_until(s, SEKISHO_FAILED, &event, PATIENCE));
    assert_string_equal(event.cause, "name-unknown");
    assert_int_equal(event.status, 21);
    sekisho_free(s);
}

static void a_name_in_the_hosts_file_is_found(void **state)
{
    (void)state;
    struct sekisho_event event;
    options.server = "localhost";
    struct sekisho *s = sekisho_new(&options, why, sizeof(why));
    assert_non_null(s);
    sekisho_connect(s);
    assert_true(run_until(s, SEKISHO_STEP, &event, PATIENCE));
    sekisho_free(s); /* in the middle of things */
}

static void who_is_freed_while_a_name_is_looked_up_leaves_nothing(void **state)
{
    (void)state;
    options.server = "nowhere.invalid";
    for (int i = 0; i < 20; i++) {
        struct sekisho *s = sekisho_new(&options, why, sizeof(why));
        assert_non_null(s);
        sekisho_connect(s);
        if (i % 2)
            sekisho_disconnect(s);
        sekisho_free(s);
    }
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL); /* for the threads that find nobody */
}

static void stopping_ends_at_once_and_it_can_begin_again(void **state)
{
    (void)state;
    struct sekisho_event event;
    struct sekisho_status status;
    struct sekisho *s = sekisho_new(&options, why, sizeof(why));
    assert_non_null(s);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sekisho_connect(s), 0);
        sekisho_status(s, &status);
        assert_int_equal(status.state, SEKISHO_CONNECTING);
        sekisho_disconnect(s);
        assert_true(run_until(s, SEKISHO_ENDED, &event, 10 * USEC_SEC));
        sekisho_status(s, &status);
        assert_int_equal(status.state, SEKISHO_IDLE);
    }
    assert_true(sekisho_write(s, "x", 1) < 0);
    assert_int_equal(sekisho_read(s, why, sizeof(why)), 0);
    sekisho_free(s);
}

static void many_live_side_by_side(void **state)
{
    (void)state;
    struct sekisho *all[50];
    struct sekisho_event event;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i] = sekisho_new(&options, why, sizeof(why));
        assert_non_null(all[i]);
        sekisho_connect(all[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        assert_true(run_until(all[i], SEKISHO_STEP, &event, PATIENCE));
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        sekisho_free(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_cannot_be_taken_is_told_in_a_sentence, begin),
        cmocka_unit_test_setup(nobody_answers_is_told_within_15_seconds, begin),
        cmocka_unit_test_setup(a_name_that_does_not_exist_is_told, begin),
        cmocka_unit_test_setup(a_name_in_the_hosts_file_is_found, begin),
        cmocka_unit_test_setup(who_is_freed_while_a_name_is_looked_up_leaves_nothing, begin),
        cmocka_unit_test_setup(stopping_ends_at_once_and_it_can_begin_again, begin),
        cmocka_unit_test_setup(many_live_side_by_side, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
