#include "net/net.h"
#include "tests/test.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SHARDS     3 /* not a power of two: foreign bits must come home too */
#define SHARD_BITS 2

static struct intake *intake;

static int begin(void **state)
{
    (void)state;
    intake = intake_new();
    assert_non_null(intake);
    return 0;
}

static int end(void **state)
{
    (void)state;
    intake_free(intake);
    return 0;
}

static struct sock *open_single(enum sock_kind kind, const char *address)
{
    struct sock_config config = {.kind = kind, .shards = 1, .buffer = 1 << 20};
    assert_int_equal(ip_parse(address, &config.local.addr), ERR_OK);
    struct sock *s = NULL;
    assert_int_equal(sock_open(&config, &s), ERR_OK);
    assert_int_not_equal(sock_local(s).port, 0);
    return s;
}

static size_t receive(struct sock *s, struct datagram out[static INTAKE_BATCH])
{
    struct pollfd p = {.fd = sock_fd(s), .events = POLLIN};
    if (poll(&p, 1, 1000) <= 0)
        return 0;
    return sock_receive(s, intake, out);
}

static struct path path_between(const struct sock *from, const struct sock *to, const char *to_address)
{
    struct path p = {.local = {.port = 0}, .remote = sock_local(to)};
    (void)from;
    assert_int_equal(ip_parse(to_address, &p.remote.addr), ERR_OK);
    return p;
}

static void a_reply_leaves_from_the_address_that_was_dialled(void **state)
{
    (void)state;
    struct sock *gateway = open_single(SOCK_UDP_NATT, "0.0.0.0");
    struct sock *client = open_single(SOCK_UDP_PLAIN, "0.0.0.0");
    const struct path dial = path_between(client, gateway, "127.0.0.77");
    const struct sendable hello = {&dial, (const uint8_t *)"hello", 5};
    struct datagram d[INTAKE_BATCH];
    char text[IP_TEXT_MAX];

    /* client -> 127.0.0.77 */
    assert_int_equal(sock_send(client, &hello, 1), 1);
    assert_int_equal(receive(gateway, d), 1);
    assert_int_equal(d[0].len, 5);
    assert_memory_equal(d[0].data, "hello", 5);
    assert_int_equal(d[0].segment, 0);
    assert_string_equal(ip_text(&d[0].path.local.addr, text), "127.0.0.77");
    assert_int_equal(d[0].path.local.port, sock_local(gateway).port);
    assert_int_equal(d[0].path.remote.port, sock_local(client).port);

    /* gateway -> client: from 127.0.0.77 */
    const struct path back = d[0].path;
    const struct sendable reply = {&back, (const uint8_t *)"world!", 6};
    assert_int_equal(sock_send(gateway, &reply, 1), 1);
    assert_int_equal(receive(client, d), 1);
    assert_memory_equal(d[0].data, "world!", 6);
    assert_string_equal(ip_text(&d[0].path.remote.addr, text), "127.0.0.77");
    sock_free(gateway);
    sock_free(client);
}

static void ipv6_travels_likewise(void **state)
{
    (void)state;
    struct sock_config config = {.kind = SOCK_UDP_PLAIN, .shards = 1, .local.addr.family = 6};
    struct sock *a = NULL, *b = NULL;
    if (sock_open(&config, &a) != ERR_OK) {
        print_message("this kernel has no IPv6\n");
        skip();
    }
    assert_int_equal(sock_open(&config, &b), ERR_OK);
    const struct path p = path_between(a, b, "::1");
    const struct sendable hello = {&p, (const uint8_t *)"six", 3};
    struct datagram d[INTAKE_BATCH];
    char text[ENDPOINT_TEXT_MAX];
    assert_int_equal(sock_send(a, &hello, 1), 1);
    assert_int_equal(receive(b, d), 1);
    assert_memory_equal(d[0].data, "six", 3);
    assert_string_equal(ip_text(&d[0].path.local.addr, text), "::1");
    assert_int_equal(d[0].path.remote.port, sock_local(a).port);
    sock_free(a);
    sock_free(b);
}

#define MANY 300

/* Sizes change now and then, every 50th is short, two paths alternate in blocks: what leaves in trains must arrive as
 * the same datagrams in the same order. */
static void trains_arrive_as_the_datagrams_that_were_sent(void **state)
{
    (void)state;
    struct sock *to[2] = {open_single(SOCK_UDP_PLAIN, "127.0.0.1"), open_single(SOCK_UDP_PLAIN, "127.0.0.1")};
    struct sock *from = open_single(SOCK_UDP_PLAIN, "127.0.0.1");
    const struct path p[2] = {path_between(from, to[0], "127.0.0.1"), path_between(from, to[1], "127.0.0.1")};
    static uint8_t bytes[MANY][1400];
    struct sendable list[MANY];
    uint32_t expected[2][MANY];
    size_t n_expected[2] = {0, 0}, seen[2] = {0, 0};
    for (uint32_t i = 0; i < MANY; i++) {
        const uint32_t side = i / 40 % 2;
        memset(bytes[i], (int)i, sizeof(bytes[i]));
        list[i] = (struct sendable){&p[side], bytes[i], i % 50 == 49 ? 17 : i < 100 ? 200 : 1400};
        expected[side][n_expected[side]++] = i;
    }
    assert_int_equal(sock_send(from, list, MANY), MANY);
    const struct sock_counters c = sock_counters(from);
    assert_int_equal(c.sent, MANY);
    assert_int_equal(c.refused, 0);
    print_message("%d datagrams sent with %d kernel entries\n", MANY, (int)c.sent_calls);
    assert_true(c.sent_calls < MANY / 4);

    for (int side = 0; side < 2; side++) {
        while (seen[side] < n_expected[side]) {
            struct datagram d[INTAKE_BATCH];
            const size_t n = receive(to[side], d);
            assert_true(n > 0);
            for (size_t i = 0; i < n; i++) {
                const uint32_t step = d[i].segment ? d[i].segment : d[i].len;
                for (uint32_t at = 0; at < d[i].len; at += step) {
                    const struct sendable *s = &list[expected[side][seen[side]++]];
                    const uint32_t len = d[i].len - at < step ? d[i].len - at : step;
                    assert_int_equal(len, s->len);
                    assert_memory_equal(d[i].data + at, s->data, len);
                }
            }
        }
        assert_int_equal(sock_counters(to[side]).received, n_expected[side]);
        sock_free(to[side]);
    }
    sock_free(from);
}

/* Two Deletes of one size, one after the other: whoever looks at them on the way, before they are cut, sees two. */
static void messages_of_ike_never_leave_as_a_train(void **state)
{
    (void)state;
    struct sock *to = open_single(SOCK_UDP_NATT, "127.0.0.1");
    struct sock *from = open_single(SOCK_UDP_IKE, "127.0.0.1");
    const struct path p = path_between(from, to, "127.0.0.1");
    static const uint8_t bytes[92];
    const struct sendable list[] = {{&p, bytes, sizeof(bytes), 0}, {&p, bytes, sizeof(bytes), 0}};
    assert_int_equal(sock_send(from, list, ARRAY_LEN(list)), ARRAY_LEN(list));
    for (size_t seen = 0; seen < ARRAY_LEN(list);) {
        struct datagram d[INTAKE_BATCH];
        const size_t n = receive(to, d);
        assert_true(n > 0);
        for (size_t i = 0; i < n; i++, seen++) {
            assert_int_equal(d[i].len, sizeof(bytes));
            assert_int_equal(d[i].segment, 0);
        }
    }
    sock_free(from);
    sock_free(to);
}

/* A train in one piece goes between single datagrams; its last one is shorter. */
static void a_train_in_one_piece_arrives_as_its_datagrams(void **state)
{
    (void)state;
    struct sock *to = open_single(SOCK_UDP_PLAIN, "127.0.0.1");
    struct sock *from = open_single(SOCK_UDP_PLAIN, "127.0.0.1");
    const struct path p = path_between(from, to, "127.0.0.1");
    static uint8_t bytes[10 * 1400];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i / 1400 + i);
    const struct sendable list[] = {{&p, bytes, 1400, 0}, {&p, bytes + 1400, 8 * 1400 + 100, 1400}, {&p, bytes, 5, 5}};
    const uint32_t lengths[] = {1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 100, 5};
    assert_int_equal(sock_send(from, list, ARRAY_LEN(list)), ARRAY_LEN(list));
    assert_int_equal(sock_counters(from).sent, ARRAY_LEN(lengths));
    assert_int_equal(sock_counters(from).sent_calls, 1);
    for (size_t seen = 0; seen < ARRAY_LEN(lengths);) {
        struct datagram d[INTAKE_BATCH];
        const size_t n = receive(to, d);
        assert_true(n > 0);
        for (size_t i = 0; i < n; i++) {
            const uint32_t step = d[i].segment ? d[i].segment : d[i].len;
            for (uint32_t at = 0; at < d[i].len; at += step, seen++) {
                const uint32_t len = d[i].len - at < step ? d[i].len - at : step;
                assert_int_equal(len, lengths[seen]);
                assert_memory_equal(d[i].data + at, bytes + (len == 5 ? 0 : seen * 1400), len);
            }
        }
    }
    sock_free(from);
    sock_free(to);
}

/* As from a peer whose packets nothing on the way puts together: each call should bring enough to fill the cipher's
 * lanes. Once trains come, eight of them are plenty. */
static void single_datagrams_come_many_at_once_and_trains_few(void **state)
{
    (void)state;
    struct sock *to = open_single(SOCK_UDP_PLAIN, "127.0.0.1");
    struct sock *from = open_single(SOCK_UDP_PLAIN, "127.0.0.1");
    const struct path p = path_between(from, to, "127.0.0.1");
    static uint8_t bytes[2 * 1400];
    struct datagram d[INTAKE_BATCH];
    for (uint32_t i = 0; i < 40; i++) { /* growing, so that they cannot leave together */
        const struct sendable one = {&p, bytes, 100 + i, 0};
        assert_int_equal(sock_send(from, &one, 1), 1);
    }
    assert_int_equal(receive(to, d), 40);

    const struct sendable train = {&p, bytes, sizeof(bytes), 1400};
    for (int i = 0; i < 21; i++)
        assert_int_equal(sock_send(from, &train, 1), 1);
    assert_int_equal(receive(to, d), 21);
    for (int i = 0; i < 10; i++)
        assert_int_equal(sock_send(from, &train, 1), 1);
    assert_int_equal(receive(to, d), 8);
    sock_free(from);
    sock_free(to);
}

static void a_datagram_that_cannot_be_sent_is_counted_and_the_next_ones_leave(void **state)
{
    (void)state;
    struct sock *to = open_single(SOCK_UDP_PLAIN, "127.0.0.1");
    struct sock *from = open_single(SOCK_UDP_PLAIN, "127.0.0.1");
    const struct path good = path_between(from, to, "127.0.0.1");
    struct path bad = good;
    assert_int_equal(ip_parse("203.0.113.9", &bad.local.addr), ERR_OK); /* not an address of this host */
    const uint8_t byte[100] = {0};
    const struct sendable list[] = {{&good, byte, 100}, {&bad, byte, 100}, {&bad, byte, 100}, {&good, byte, 50}};
    assert_int_equal(sock_send(from, list, 4), 4);
    assert_int_equal(sock_counters(from).sent, 2);
    assert_int_equal(sock_counters(from).refused, 2);
    assert_int_not_equal(sock_counters(from).last_errno, 0);
    sock_free(to);
    sock_free(from);
}

static size_t make_datagram(const struct random *r, enum sock_kind kind, uint8_t *out)
{
    random_fill(r, out, 32);
    const uint32_t what = random_below(r, 8);
    uint8_t *ike = out;
    if (kind == SOCK_UDP_NATT) {
        if (what == 0) {
            out[0] = 0xff;
            return 1; /* keepalive */
        }
        if (what < 4)
            return 32; /* ESP */
        memset(out, 0, 4);
        ike = out + 4;
    }
    if (what % 2)
        memset(ike + 8, 0, 8); /* first message: no responder cookie */
    if (what == 2)
        memset(ike + 8, 0, 4);
    if (what == 6)
        memset(ike + 12, 0, 4);
    return random_below(r, 6) == 0 ? 10 : 32;
}

static void the_kernel_steers_as_the_c_code_says(enum sock_kind kind, uint64_t seed)
{
    struct sock_config config = {
        .kind = kind, .shards = SHARDS, .shard_bits = SHARD_BITS, .local.addr = {4, {127, 0, 0, 1}}};
    struct sock *group[SHARDS];
    assert_int_equal(sock_open(&config, group), ERR_OK);
    struct sock *client = open_single(SOCK_UDP_PLAIN, "127.0.0.1");
    const struct path p = path_between(client, group[0], "127.0.0.1");
    struct random_test t;
    random_test_init(&t, seed);
    print_message("seed %d\n", (int)seed);
    const struct random r = {random_test_fill, &t};
    uint32_t seen[SHARDS] = {0};
    for (int i = 0; i < 300; i++) {
        uint8_t bytes[32];
        const size_t n = make_datagram(&r, kind, bytes);
        const struct sendable s = {&p, bytes, (uint32_t)n};
        assert_int_equal(sock_send(client, &s, 1), 1);
        const uint32_t shard = sock_shard(kind, SHARDS, SHARD_BITS, (struct view){bytes, n});
        assert_in_range(shard, 0, SHARDS - 1);
        struct datagram d[INTAKE_BATCH];
        assert_int_equal(receive(group[shard], d), 1);
        assert_memory_equal(d[0].data, bytes, n);
        seen[shard]++;
    }
    for (int i = 0; i < SHARDS; i++) {
        assert_true(seen[i] > 10);
        sock_free(group[i]);
    }
    sock_free(client);
}

static void port_500_is_steered_by_cookies(void **state)
{
    (void)state;
    the_kernel_steers_as_the_c_code_says(SOCK_UDP_IKE, 500);
}

static void port_4500_is_steered_by_spi_or_cookies(void **state)
{
    (void)state;
    the_kernel_steers_as_the_c_code_says(SOCK_UDP_NATT, 4500);
}

static void a_port_in_use_is_told_even_for_a_group(void **state)
{
    (void)state;
    struct sock_config config = {.kind = SOCK_UDP_IKE, .shards = 2, .shard_bits = 1, .local.addr = {4, {127, 0, 0, 1}}};
    struct sock *first[2], *second[2] = {NULL, NULL};
    assert_int_equal(sock_open(&config, first), ERR_OK);
    config.local.port = sock_local(first[0]).port;
    assert_int_equal(sock_local(first[1]).port, config.local.port);
    assert_int_equal(sock_open(&config, second), ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    assert_null(second[0]);
    sock_free(first[0]);
    sock_free(first[1]);
}

static void impossible_groups_are_refused(void **state)
{
    (void)state;
    struct sock *out[8];
    struct sock_config config = {.kind = SOCK_UDP_IKE, .shards = 3, .shard_bits = 1, .local.addr = {4, {127, 0, 0, 1}}};
    assert_int_equal(sock_open(&config, out), ERR_INVALID);
    config.shards = 0;
    assert_int_equal(sock_open(&config, out), ERR_INVALID);
    config = (struct sock_config){.shards = 1};
    assert_int_equal(sock_open(&config, out), ERR_INVALID);
}

static void the_source_towards_an_address_is_found_without_sending(void **state)
{
    (void)state;
    struct ip_addr to, from;
    char text[IP_TEXT_MAX];
    int fd;
    assert_int_equal(ip_parse("127.0.0.9", &to), ERR_OK);
    assert_int_equal(source_open(4, 0, &fd), ERR_OK);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(source_ask(fd, &to, &from), ERR_OK);
        assert_string_equal(ip_text(&from, text), "127.0.0.1");
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_leaves_from_the_address_that_was_dialled),
        cmocka_unit_test(ipv6_travels_likewise),
        cmocka_unit_test(trains_arrive_as_the_datagrams_that_were_sent),
        cmocka_unit_test(messages_of_ike_never_leave_as_a_train),
        cmocka_unit_test(a_train_in_one_piece_arrives_as_its_datagrams),
        cmocka_unit_test(single_datagrams_come_many_at_once_and_trains_few),
        cmocka_unit_test(a_datagram_that_cannot_be_sent_is_counted_and_the_next_ones_leave),
        cmocka_unit_test(port_500_is_steered_by_cookies),
        cmocka_unit_test(port_4500_is_steered_by_spi_or_cookies),
        cmocka_unit_test(a_port_in_use_is_told_even_for_a_group),
        cmocka_unit_test(impossible_groups_are_refused),
        cmocka_unit_test(the_source_towards_an_address_is_found_without_sending),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
