/*
 * Kernel TCP and UDP between two TUN devices in a fresh namespace, through split and coalesce:
 *
 *   socket in the second namespace <-> tun b <-> this program: split, then coalesce <-> tun a <-> socket in the first
 *
 * Two namespaces, as one kernel would route between its own addresses without a device.
 */
#include "netns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MTU    1400
#define VOLUME (8 << 20) /* bytes each way */
#define SLOTS  256

enum { LEFT, RIGHT };

struct end {
    struct tun *tun;
    int listener;
};

static struct {
    struct end ends[2];
    bool no_offload;
    atomic_bool stop;
    uint64_t frames, packets, joined, lost;
} world;

static void open_end(struct end *e, const char *own, bool no_offload)
{
    const struct tun_config config = {.name = "t%d", .queues = 1, .no_offload = no_offload};
    if (tun_open(&config, &e->tun) != ERR_OK) {
        printf("Skipped: no TUN device (%s).\n", strerror(errno));
        exit(EXIT_SKIPPED);
    }
    struct ip_addr four, six;
    assert_int_equal(ip_parse(own, &four), ERR_OK);
    assert_int_equal(iface_set_mtu(tun_iface(e->tun), MTU), ERR_OK);
    assert_int_equal(iface_set_up(tun_iface(e->tun), true), ERR_OK);
    assert_int_equal(iface_address_add(tun_iface(e->tun), &four, 24, NULL), ERR_OK);
    assert_int_equal(ip_parse("fd00::", &six), ERR_OK);
    six.b[15] = four.b[3];
    iface_address_add(tun_iface(e->tun), &six, 64, NULL); /* where there is IPv6 */
}

/* Moves what waits on one device to the other and returns whether there was anything. */
static bool carry(struct tun *from, struct tun *to, struct coalesce *c)
{
    static uint8_t packets[SLOTS][2048];
    struct frame frames[TUN_BATCH];
    const size_t n = tun_read(from, frames, TUN_BATCH);
    for (size_t i = 0; i < n; i++) {
        struct split s;
        if (split_begin(&s, &frames[i]) != DROP_NONE || split_length(&s, 0) > MTU) {
            world.lost++;
            continue;
        }
        world.frames++;
        world.packets += s.count;
        for (uint32_t k = 0, slot = 0; k < s.count; k++) {
            split_write(&s, k, packets[slot]);
            if (coalesce_add(c, packets[slot], split_length(&s, k)) != DROP_NONE)
                abort(); /* this is not the test's own thread */
            if (++slot < SLOTS && k + 1 < s.count)
                continue;
            slot = 0;
            const struct frame_pieces *f;
            while ((f = coalesce_take(c))) {
                world.joined += f->n > 1;
                world.lost += tun_write(to, f) != ERR_OK;
            }
        }
    }
    return n > 0;
}

static void *carrier(void *arg)
{
    (void)arg;
    struct coalesce *c = coalesce_new();
    coalesce_allow_udp(c, tun_has_udp_offload(world.ends[LEFT].tun));
    struct pollfd p[2] = {{tun_fd(world.ends[LEFT].tun), POLLIN, 0}, {tun_fd(world.ends[RIGHT].tun), POLLIN, 0}};
    while (!atomic_load(&world.stop)) {
        poll(p, 2, 20);
        bool moved;
        do {
            moved = carry(world.ends[LEFT].tun, world.ends[RIGHT].tun, c);
            moved = carry(world.ends[RIGHT].tun, world.ends[LEFT].tun, c) || moved;
        } while (moved);
    }
    coalesce_free(c);
    return NULL;
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 10));
}

static void *serve(void *arg)
{
    const int s = accept(*(int *)arg, NULL, NULL);
    static uint8_t got[65536];
    size_t n = 0;
    ssize_t r;
    while ((r = read(s, got, sizeof(got))) > 0)
        for (ssize_t i = 0; i < r; i++, n++)
            if (got[i] != byte_at(n))
                abort();
    const uint8_t answer = n == VOLUME;
    if (write(s, &answer, 1) != 1)
        abort();
    close(s);
    return NULL;
}

static bool stream_arrives(int family)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(struct sockaddr_in6);
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a;
        *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(5001)};
        inet_pton(AF_INET, "10.55.0.1", &in->sin_addr);
        len = sizeof(*in);
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)&a;
        *in = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(5001)};
        inet_pton(AF_INET6, "fd00::1", &in->sin6_addr);
    }
    const int s = socket(family, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (struct sockaddr *)&a, len) < 0)
        return false;
    static uint8_t chunk[65536];
    for (size_t n = 0; n < VOLUME; n += sizeof(chunk)) {
        for (size_t i = 0; i < sizeof(chunk); i++)
            chunk[i] = byte_at(n + i);
        if (write(s, chunk, sizeof(chunk)) != sizeof(chunk))
            return false;
    }
    shutdown(s, SHUT_WR);
    uint8_t answer = 0;
    const bool good = read(s, &answer, 1) == 1 && answer == 1;
    close(s);
    return good;
}

static int listen_on(int family)
{
    const int s = socket(family, SOCK_STREAM, 0), on = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    struct sockaddr_storage a = {.ss_family = (sa_family_t)family};
    ((struct sockaddr_in *)(void *)&a)->sin_port = htons(5001); /* in the same place for both families */
    if (s < 0 || bind(s, (struct sockaddr *)&a, family == AF_INET ? 16 : 28) < 0 || listen(s, 1) < 0)
        return -1;
    return s;
}

/* A descriptor belongs to the namespace that it was made in, whichever the thread is in later. */
static void build(bool no_offload)
{
    memset(&world.ends, 0, sizeof(world.ends));
    world.frames = world.packets = world.joined = world.lost = 0;
    enter_namespace();
    open_end(&world.ends[LEFT], "10.55.0.1", no_offload);
}

static void streams_pass(bool no_offload, int family)
{
    build(no_offload);
    int listener = listen_on(family);
    if (listener < 0) {
        print_message("this kernel has no IPv6\n");
        tun_free(world.ends[LEFT].tun);
        skip();
    }
    enter_namespace();
    open_end(&world.ends[RIGHT], "10.55.0.2", no_offload);
    pthread_t mover, server;
    atomic_store(&world.stop, false);
    assert_int_equal(pthread_create(&mover, NULL, carrier, NULL), 0);
    assert_int_equal(pthread_create(&server, NULL, serve, &listener), 0);
    assert_true(stream_arrives(family));
    pthread_join(server, NULL);
    atomic_store(&world.stop, true);
    pthread_join(mover, NULL);
    close(listener);
    print_message("%d frames read, %d packets, %d joined frames written, %d lost\n", (int)world.frames,
                  (int)world.packets, (int)world.joined, (int)world.lost);
    tun_free(world.ends[LEFT].tun);
    tun_free(world.ends[RIGHT].tun);
}

static void ipv4_tcp_passes_in_super_packets(void **state)
{
    (void)state;
    streams_pass(false, AF_INET);
    assert_true(world.packets > world.frames * 3);
    assert_true(world.joined > 0);
}

static void ipv6_tcp_passes_in_super_packets(void **state)
{
    (void)state;
    streams_pass(false, AF_INET6);
    assert_true(world.packets > world.frames * 3);
    assert_true(world.joined > 0);
}

static void without_offload_the_same_streams_pass_packet_by_packet(void **state)
{
    (void)state;
    streams_pass(true, AF_INET);
    assert_true(world.packets == world.frames);
}

/* A frame of several, written to a device without offload, arrives as single datagrams. */
static void joined_frames_are_cut_for_a_device_without_offload(void **state)
{
    (void)state;
    build(true);
    enter_namespace();
    open_end(&world.ends[RIGHT], "10.55.0.2", false);
    const int out = socket(AF_INET, SOCK_DGRAM, 0);
    const int size = 500;
    setsockopt(out, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &size, sizeof(size));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    inet_pton(AF_INET, "10.55.0.1", &to.sin_addr);
    static uint8_t bytes[2100];
    assert_int_equal(sendto(out, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(bytes));
    struct coalesce *c = coalesce_new();
    coalesce_allow_udp(c, true);
    static uint8_t packets[16][2048];
    struct frame frames[TUN_BATCH];
    size_t n = tun_read(world.ends[RIGHT].tun, frames, TUN_BATCH), count = 0;
    for (size_t i = 0; i < n; i++) {
        struct split s;
        if (frames[i].data[0] >> 4 != 4) /* neighbour discovery of IPv6 */
            continue;
        assert_int_equal(split_begin(&s, &frames[i]), DROP_NONE);
        for (uint32_t k = 0; k < s.count; k++, count++) {
            split_write(&s, k, packets[count]);
            assert_int_equal(coalesce_add(c, packets[count], split_length(&s, k)), DROP_NONE);
        }
    }
    assert_int_equal(count, 5);
    const struct frame_pieces *f = coalesce_take(c);
    assert_int_equal(f->n, 5);
    assert_int_equal(tun_write(world.ends[LEFT].tun, f), ERR_OK);
    assert_null(coalesce_take(c));
    coalesce_free(c);
    close(out);
    tun_free(world.ends[LEFT].tun);
    tun_free(world.ends[RIGHT].tun);
}

/* Packets that nothing puts together fill the cipher's lanes all the same. */
static void many_small_frames_come_in_one_read(void **state)
{
    (void)state;
    enter_namespace();
    open_end(&world.ends[RIGHT], "10.55.0.2", false);
    struct tun *tun = world.ends[RIGHT].tun;
    const int out = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    inet_pton(AF_INET, "10.55.0.1", &to.sin_addr);
    struct frame frames[TUN_BATCH];
    tun_read(tun, frames, TUN_BATCH); /* neighbour discovery */
    static uint8_t bytes[1000];
    for (int i = 0; i < 40; i++)
        assert_int_equal(sendto(out, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(bytes));
    assert_in_range(tun_read(tun, frames, TUN_BATCH), 40, 42);
    close(out);
    tun_free(tun);
}

static void every_shard_has_its_own_queue(void **state)
{
    (void)state;
    enter_namespace();
    const struct tun_config config = {.name = "many", .queues = 4};
    struct tun *queues[4];
    assert_int_equal(tun_open(&config, queues), ERR_OK);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(tun_name(queues[i]), "many");
        assert_int_equal(tun_iface(queues[i]), tun_iface(queues[0]));
        struct frame frame;
        assert_int_equal(tun_read(queues[i], &frame, 1), 0);
    }
    for (int i = 0; i < 4; i++)
        tun_free(queues[i]);
    const struct tun_config none = {.queues = 0};
    assert_int_equal(tun_open(&none, queues), ERR_INVALID);
}

static void a_device_of_somebody_else_is_taken_as_it_is(void **state)
{
    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        const struct tun_config config = {.name = "theirs", .queues = 1, .no_offload = plain};
        struct tun *theirs, *ours;
        struct frame frame;
        assert_int_equal(tun_open(&config, &theirs), ERR_OK);
        assert_int_equal(tun_adopt(tun_fd(theirs), &ours), ERR_OK);
        assert_string_equal(tun_name(ours), "theirs");
        assert_int_equal(tun_iface(ours), tun_iface(theirs));
        assert_int_not_equal(tun_fd(ours), tun_fd(theirs));
        assert_int_equal(tun_read(ours, &frame, 1), 0); /* does not wait */
        tun_free(ours);
        assert_int_not_equal(iface_index("theirs"), 0);
        tun_free(theirs);
    }
    struct tun *none;
    assert_int_equal(tun_adopt(0, &none), ERR_INVALID);
}

static void a_device_that_somebody_deletes_is_gone(void **state)
{
    (void)state;
    for (uint8_t n = 1; n <= 2; n++) {
        const struct tun_config config = {.name = "victim", .queues = n};
        struct tun *queues[2];
        struct frame frame;
        assert_int_equal(tun_open(&config, queues), ERR_OK);
        assert_int_equal(tun_read(queues[n - 1], &frame, 1), 0);
        assert_false(tun_is_gone(queues[n - 1]));
        assert_int_equal(system("ip link delete victim"), 0);
        for (uint8_t i = 0; i < n; i++) {
            struct pollfd p = {tun_fd(queues[i]), POLLIN, 0};
            assert_int_equal(poll(&p, 1, 10000), 1);
            assert_int_equal(tun_read(queues[i], &frame, 1), 0);
            assert_true(tun_is_gone(queues[i]));
            tun_free(queues[i]);
        }
    }
}

int main(void)
{
    enter_namespace();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_tcp_passes_in_super_packets),
        cmocka_unit_test(ipv6_tcp_passes_in_super_packets),
        cmocka_unit_test(without_offload_the_same_streams_pass_packet_by_packet),
        cmocka_unit_test(joined_frames_are_cut_for_a_device_without_offload),
        cmocka_unit_test(many_small_frames_come_in_one_read),
        cmocka_unit_test(every_shard_has_its_own_queue),
        cmocka_unit_test(a_device_of_somebody_else_is_taken_as_it_is),
        cmocka_unit_test(a_device_that_somebody_deletes_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
