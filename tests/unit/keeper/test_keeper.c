/* What happens to a connection in the hands of its keeper, told in virtual time. */
#include "tests/test.h"

#include "keeper/keeper.h"

static struct random_test generator;
static struct keeper k;
static usec_t now;

static void begin(enum keeper_stay stay)
{
    random_test_init(&generator, 7);
    keeper_init(&k, stay, &(struct random){random_test_fill, &generator});
    now = 1000 * USEC_SEC;
    assert_int_equal(keeper_start(&k, now), ERR_OK);
}

static struct keeper_order expect(enum keeper_order_type type)
{
    struct keeper_order o;
    assert_true(keeper_order(&k, &o));
    assert_int_equal(o.type, type);
    return o;
}

static void expect_nothing(void)
{
    struct keeper_order o;
    assert_false(keeper_order(&k, &o));
}

/* Lets time pass until the keeper does something by itself. Returns how long it took. */
static usec_t wait_for_it(void)
{
    const usec_t from = now;
    assert_true(keeper_deadline(&k) != USEC_NEVER);
    keeper_timeout(&k, keeper_deadline(&k) - 1);
    expect_nothing();
    now = keeper_deadline(&k);
    keeper_timeout(&k, now);
    return now - from;
}

static void resolve_and_try(uint32_t addresses)
{
    expect(KEEPER_ORDER_RESOLVE);
    keeper_resolved(&k, now, addresses);
    assert_int_equal(expect(KEEPER_ORDER_TRY).address, 0);
    expect_nothing();
}

static void come_up(enum keeper_stay stay)
{
    begin(stay);
    resolve_and_try(1);
    keeper_up(&k, now);
    expect_nothing();
    assert_true(keeper_deadline(&k) == USEC_NEVER);
}

static void lose(enum cause cause)
{
    keeper_failed(&k, now, cause);
    assert_int_equal(expect(KEEPER_ORDER_LOST).cause, cause);
    expect_nothing();
}

static void a_server_that_is_restarted_is_found_again(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    now += 3600 * USEC_SEC;
    lose(CAUSE_PEER_SILENT);
    assert_in_range(wait_for_it(), 750 * USEC_MSEC, 1250 * USEC_MSEC);
    resolve_and_try(1);
    lose(CAUSE_IKE_NO_ANSWER); /* it is not there yet */
    assert_in_range(wait_for_it(), 1500 * USEC_MSEC, 2500 * USEC_MSEC);
    resolve_and_try(1);
    keeper_up(&k, now);
    assert_int_equal(k.ups, 2);
    assert_int_equal(k.attempts, 3);
}

static void the_pauses_grow_to_a_minute_and_no_further(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    now += 3600 * USEC_SEC;
    usec_t pause = USEC_SEC;
    lose(CAUSE_PEER_SILENT);
    for (int i = 0; i < 12; i++) {
        assert_in_range(wait_for_it(), pause * 3 / 4, pause * 5 / 4);
        resolve_and_try(1);
        lose(CAUSE_IKE_NO_ANSWER);
        pause = usec_min(2 * pause, 60 * USEC_SEC);
    }
}

static void a_connection_that_never_holds_for_long_is_not_hurried(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    usec_t pause = USEC_SEC;
    for (int i = 0; i < 6; i++) { /* up and down, every two seconds */
        now += 2 * USEC_SEC;
        lose(CAUSE_PEER_CLOSED);
        assert_in_range(wait_for_it(), pause * 3 / 4, pause * 5 / 4);
        resolve_and_try(1);
        keeper_up(&k, now);
        pause *= 2;
    }
    now += 61 * USEC_SEC; /* now it held */
    lose(CAUSE_PEER_CLOSED);
    assert_in_range(wait_for_it(), 0, 1250 * USEC_MSEC);
}

static void two_clients_do_not_come_back_at_the_same_moment(void **state)
{
    (void)state;
    usec_t pauses[2];
    come_up(KEEPER_ONCE_UP);
    lose(CAUSE_PEER_SILENT);
    pauses[0] = wait_for_it();
    come_up(KEEPER_ONCE_UP);
    random_u32(&k.random); /* another one's luck */
    lose(CAUSE_PEER_SILENT);
    pauses[1] = wait_for_it();
    assert_true(pauses[0] != pauses[1]);
}

static void all_addresses_of_a_name_are_tried(void **state)
{
    (void)state;
    begin(KEEPER_ONCE_UP);
    resolve_and_try(3);
    for (uint32_t i = 1; i < 3; i++) {
        keeper_failed(&k, now, CAUSE_IKE_NO_ANSWER);
        assert_int_equal(expect(KEEPER_ORDER_TRY).address, i);
    }
    keeper_failed(&k, now, CAUSE_IKE_NO_ANSWER);
    assert_int_equal(expect(KEEPER_ORDER_FAILED).cause, CAUSE_IKE_NO_ANSWER);
    assert_int_equal(k.attempts, 1);
}

static void a_wrong_password_is_not_tried_at_the_next_address(void **state)
{
    (void)state;
    begin(KEEPER_ONCE_UP);
    resolve_and_try(3);
    keeper_failed(&k, now, CAUSE_AUTH_REFUSED);
    assert_int_equal(expect(KEEPER_ORDER_FAILED).cause, CAUSE_AUTH_REFUSED);
    expect_nothing();
    assert_true(keeper_deadline(&k) == USEC_NEVER);
}

static void a_first_attempt_that_fails_is_final(void **state)
{
    (void)state;
    begin(KEEPER_ONCE_UP);
    resolve_and_try(1);
    keeper_failed(&k, now, CAUSE_IKE_NO_ANSWER);
    expect(KEEPER_ORDER_FAILED);
    expect_nothing();
    assert_int_equal(keeper_start(&k, now), ERR_OK); /* a person may begin again */
}

static void a_name_that_is_not_found_fails(void **state)
{
    (void)state;
    begin(KEEPER_ONCE_UP);
    expect(KEEPER_ORDER_RESOLVE);
    keeper_resolved(&k, now, 0);
    assert_int_equal(expect(KEEPER_ORDER_FAILED).cause, CAUSE_NAME_UNKNOWN);
}

static void what_a_person_must_mend_is_asked_for_twice_and_no_more(void **state)
{
    (void)state;
    static const enum cause causes[] = {CAUSE_AUTH_REFUSED, CAUSE_CERT_REVOKED, CAUSE_AUTH_SERVER_CERTIFICATE,
                                        CAUSE_AUTH_CERTIFICATE, CAUSE_IKE_IDENTITY};
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        come_up(KEEPER_ONCE_UP);
        now += 3600 * USEC_SEC;
        lose(CAUSE_PEER_SILENT);
        wait_for_it();
        resolve_and_try(1);
        lose(causes[i]); /* the server may only be starting */
        wait_for_it();
        resolve_and_try(1);
        keeper_failed(&k, now, causes[i]);
        assert_int_equal(expect(KEEPER_ORDER_FAILED).cause, causes[i]);
        expect_nothing();
    }
}

static void an_authority_that_does_not_answer_is_waited_for(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    lose(CAUSE_PEER_SILENT);
    for (int i = 0; i < 5; i++) {
        wait_for_it();
        resolve_and_try(1);
        lose(i % 2 ? CAUSE_CERT_LATE : CAUSE_CERT_REVOCATION);
    }
    for (int i = 0; i < 5; i++) {
        wait_for_it();
        resolve_and_try(1);
        lose(CAUSE_CERT_REVOCATION);
    }
}

static void who_stays_always_does_not_hammer_a_server_that_refuses(void **state)
{
    (void)state;
    begin(KEEPER_ALWAYS);
    for (int i = 0; i < 5; i++) {
        resolve_and_try(1);
        lose(CAUSE_IKE_WRONG_PSK);
        assert_in_range(wait_for_it(), 45 * USEC_SEC, 75 * USEC_SEC);
    }
}

static void who_never_stays_ends_at_the_first_end(void **state)
{
    (void)state;
    come_up(KEEPER_NEVER);
    now += 3600 * USEC_SEC;
    keeper_failed(&k, now, CAUSE_PEER_CLOSED);
    expect(KEEPER_ORDER_FAILED);
    come_up(KEEPER_NEVER);
    keeper_network(&k, now, KEEPER_WAY_OTHER);
    assert_int_equal(expect(KEEPER_ORDER_FAILED).cause, CAUSE_NETWORK_CHANGED);
}

static void no_attempt_brings_back_an_interface(void **state)
{
    (void)state;
    for (int stay = KEEPER_NEVER; stay <= KEEPER_ALWAYS; stay++) {
        come_up((enum keeper_stay)stay);
        keeper_failed(&k, now, CAUSE_INTERFACE_GONE);
        assert_int_equal(expect(KEEPER_ORDER_FAILED).cause, CAUSE_INTERFACE_GONE);
    }
}

static void an_attempt_that_hangs_is_dropped(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    lose(CAUSE_PEER_SILENT);
    wait_for_it();
    resolve_and_try(1);
    assert_in_range(wait_for_it(), 60 * USEC_SEC, 60 * USEC_SEC);
    expect(KEEPER_ORDER_DROP);
    expect(KEEPER_ORDER_LOST);
}

static void after_ten_minutes_of_sleep_the_server_is_asked_at_once(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    now += 600 * USEC_SEC;
    keeper_slept(&k, now);
    expect(KEEPER_ORDER_PROBE);
    expect_nothing();
    now += 8 * USEC_SEC;
    lose(CAUSE_PEER_SILENT); /* it has forgotten us */
    assert_in_range(wait_for_it(), 0, 1250 * USEC_MSEC);
    resolve_and_try(1);
}

static void who_wakes_does_not_wait_the_pause_out(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    for (int i = 0; i < 6; i++) {
        lose(CAUSE_IKE_NO_ANSWER);
        if (i == 5)
            break;
        wait_for_it();
        resolve_and_try(1);
    }
    keeper_slept(&k, now);
    resolve_and_try(1);
}

static void another_network_takes_the_connection_along_where_it_can(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    keeper_network(&k, now, KEEPER_WAY_SAME); /* some other interface came */
    expect_nothing();
    keeper_network(&k, now, KEEPER_WAY_MOVABLE);
    expect(KEEPER_ORDER_MOVE);
    expect_nothing();
    keeper_network(&k, now, KEEPER_WAY_OTHER);
    expect(KEEPER_ORDER_DROP);
    assert_int_equal(expect(KEEPER_ORDER_LOST).cause, CAUSE_NETWORK_CHANGED);
    resolve_and_try(1);
}

static void a_cable_that_is_pulled_for_a_moment_costs_nothing(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    keeper_network(&k, now, KEEPER_WAY_NONE);
    expect_nothing();
    now += 5 * USEC_SEC;
    keeper_network(&k, now, KEEPER_WAY_SAME);
    expect(KEEPER_ORDER_PROBE);
    expect_nothing();
    assert_int_equal(k.state, KEEPER_UP);
}

static void a_network_that_comes_back_ends_the_pause(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    keeper_network(&k, now, KEEPER_WAY_NONE);
    now += 16 * USEC_SEC;
    lose(CAUSE_PEER_SILENT);
    for (int i = 0; i < 5; i++) {
        wait_for_it();
        expect(KEEPER_ORDER_RESOLVE);
        keeper_resolved(&k, now, 0);
        expect(KEEPER_ORDER_LOST);
    }
    keeper_network(&k, now, KEEPER_WAY_SAME);
    resolve_and_try(1);
}

static void an_attempt_goes_on_in_the_new_network(void **state)
{
    (void)state;
    begin(KEEPER_ONCE_UP);
    resolve_and_try(1);
    keeper_network(&k, now, KEEPER_WAY_OTHER);
    expect(KEEPER_ORDER_DROP);
    resolve_and_try(1);
}

static void who_stops_says_goodbye_once(void **state)
{
    (void)state;
    come_up(KEEPER_ONCE_UP);
    keeper_stop(&k);
    expect(KEEPER_ORDER_DROP);
    keeper_stop(&k);
    expect_nothing();
    keeper_failed(&k, now, CAUSE_PEER_CLOSED); /* what comes late is not heard */
    keeper_up(&k, now);
    keeper_resolved(&k, now, 1);
    keeper_slept(&k, now);
    keeper_network(&k, now, KEEPER_WAY_OTHER);
    expect_nothing();
    assert_int_equal(k.state, KEEPER_IDLE);
}

static void who_was_asked_something_has_time_to_type(void **state)
{
    (void)state;
    begin(KEEPER_NEVER);
    resolve_and_try(1);
    now += 50 * USEC_SEC;
    keeper_asked(&k, now);
    assert_true(keeper_deadline(&k) - now > 180 * USEC_SEC); /* PPP's own limit comes first */
    keeper_up(&k, now + 170 * USEC_SEC);
    keeper_asked(&k, now); /* too late to matter */
    assert_true(keeper_deadline(&k) == USEC_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_asked_something_has_time_to_type),
        cmocka_unit_test(a_server_that_is_restarted_is_found_again),
        cmocka_unit_test(the_pauses_grow_to_a_minute_and_no_further),
        cmocka_unit_test(a_connection_that_never_holds_for_long_is_not_hurried),
        cmocka_unit_test(two_clients_do_not_come_back_at_the_same_moment),
        cmocka_unit_test(all_addresses_of_a_name_are_tried),
        cmocka_unit_test(a_wrong_password_is_not_tried_at_the_next_address),
        cmocka_unit_test(a_first_attempt_that_fails_is_final),
        cmocka_unit_test(a_name_that_is_not_found_fails),
        cmocka_unit_test(what_a_person_must_mend_is_asked_for_twice_and_no_more),
        cmocka_unit_test(an_authority_that_does_not_answer_is_waited_for),
        cmocka_unit_test(who_stays_always_does_not_hammer_a_server_that_refuses),
        cmocka_unit_test(who_never_stays_ends_at_the_first_end),
        cmocka_unit_test(no_attempt_brings_back_an_interface),
        cmocka_unit_test(an_attempt_that_hangs_is_dropped),
        cmocka_unit_test(after_ten_minutes_of_sleep_the_server_is_asked_at_once),
        cmocka_unit_test(who_wakes_does_not_wait_the_pause_out),
        cmocka_unit_test(another_network_takes_the_connection_along_where_it_can),
        cmocka_unit_test(a_cable_that_is_pulled_for_a_moment_costs_nothing),
        cmocka_unit_test(a_network_that_comes_back_ends_the_pause),
        cmocka_unit_test(an_attempt_goes_on_in_the_new_network),
        cmocka_unit_test(who_stops_says_goodbye_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
