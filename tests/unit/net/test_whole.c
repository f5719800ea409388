/* Datagrams that must not be fragmented, on a link that is too small for some of them. */
#include "netns.h"

#include <poll.h>

#define LINK_MTU 1000

static struct sock *open_at(const char *address)
{
    struct sock_config config = {.kind = SOCK_UDP_NATT, .shards = 1};
    struct sock *s = NULL;
    assert_int_equal(ip_parse(address, &config.local.addr), ERR_OK);
    assert_int_equal(sock_open(&config, &s), ERR_OK);
    return s;
}

/* The bytes of the datagrams that come, once at least `wanted` have come; with 0 it waits a little for those that must
 * not come. */
static uint32_t receive(struct sock *s, struct intake *intake, uint32_t wanted)
{
    struct datagram d[INTAKE_BATCH];
    struct pollfd p = {.fd = sock_fd(s), .events = POLLIN};
    uint32_t bytes = 0;
    while ((bytes == 0 || bytes < wanted) && poll(&p, 1, wanted > 0 ? 10000 : 300) > 0)
        for (size_t n = sock_receive(s, intake, d); n > 0; n--)
            bytes += d[n - 1].len;
    return bytes;
}

static void a_whole_datagram_is_never_cut(void **state)
{
    (void)state;
    static const uint8_t bytes[1400];
    struct intake *intake = intake_new();
    struct sock *from = open_at("127.0.0.1"), *to = open_at("127.0.0.2");
    const struct path path = {sock_local(from), sock_local(to)};
    const struct sendable cut = {&path, bytes, 1400, 1400, false}, whole = {&path, bytes, 1400, 1400, true},
                          small = {&path, bytes, 900, 900, true};
    assert_int_equal(iface_set_mtu(iface_index("lo"), LINK_MTU), ERR_OK);

    assert_int_equal(sock_send(from, &cut, 1), 1);
    assert_int_equal(receive(to, intake, 1400), 1400); /* in two fragments */
    assert_int_equal(sock_send(from, &whole, 1), 1);
    assert_int_equal(receive(to, intake, 0), 0);
    assert_int_equal(sock_counters(from).refused, 1);
    assert_int_equal(sock_send(from, &small, 1), 1);
    assert_int_equal(receive(to, intake, 900), 900);
    assert_int_equal(sock_send(from, &cut, 1), 1); /* and later ones as before */
    assert_int_equal(receive(to, intake, 1400), 1400);

    const struct sendable mixed[] = {small, cut, small}; /* nor does it join its neighbours */
    assert_int_equal(sock_send(from, mixed, 3), 3);
    assert_int_equal(receive(to, intake, 900 + 1400 + 900), 900 + 1400 + 900);
    assert_int_equal(sock_counters(from).refused, 1);
    sock_free(from);
    sock_free(to);
    intake_free(intake);
}

int main(void)
{
    enter_namespace();
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_whole_datagram_is_never_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
