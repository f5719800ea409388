/* A tracker on virtual time, packets of hosts and servers in arrows' order, and what came of each. */
#ifndef SEKISHO_TRACKER_SCENE_H
#define SEKISHO_TRACKER_SCENE_H

#include "tests/test.h"

#include "tracker/tracker.h"

#define SERVER  0xc6336401u /* 198.51.100.1 */
#define SERVER2 0xc6336402u
#define HOST(n) (0xc0a80100u + (n))
#define A       HOST(1)
#define B       HOST(2)
#define C       HOST(3)
#define MOVES   4096

struct scene {
    struct tracker *t;
    usec_t now;
    uint32_t handle; /* the last one given */
    struct tracker_move moves[MOVES];
    size_t n_moves, taken;
    struct tracker_event events[MOVES];
    size_t n_events;
};

static struct scene scene;

static inline void scene_pull(void)
{
    while (scene.n_moves < MOVES && tracker_output(scene.t, &scene.moves[scene.n_moves]))
        scene.n_moves++;
    while (scene.n_events < MOVES && tracker_event(scene.t, &scene.events[scene.n_events]))
        scene.n_events++;
}

static inline void scene_open(struct tracker_config config)
{
    scene = (struct scene){.t = tracker_new(&config), .now = 1000 * USEC_SEC};
    assert_non_null(scene.t);
}

static inline int scene_close(void **state)
{
    (void)state;
    tracker_free(scene.t);
    scene.t = NULL;
    return 0;
}

static inline void scene_wait(usec_t time)
{
    const usec_t end = scene.now + time;
    while (tracker_deadline(scene.t) <= end) {
        if (tracker_deadline(scene.t) > scene.now)
            scene.now = tracker_deadline(scene.t);
        tracker_timeout(scene.t, scene.now);
        scene_pull();
    }
    scene.now = end;
}

static inline uint32_t scene_input(struct tracker_packet p)
{
    p.handle = ++scene.handle;
    tracker_input(scene.t, scene.now, &p);
    scene_pull();
    return p.handle;
}

static inline uint32_t esp_out(uint32_t host, uint32_t server, uint32_t spi, uint32_t sequence)
{
    return scene_input(
        (struct tracker_packet){.way = TRACKER_OUT, .host = host, .server = server, .spi = spi, .sequence = sequence});
}

static inline uint32_t esp_in(uint32_t server, uint32_t spi, uint32_t sequence)
{
    return scene_input((struct tracker_packet){.way = TRACKER_IN, .server = server, .spi = spi, .sequence = sequence});
}

static inline uint32_t ike_packet(enum tracker_way way, uint32_t host, uint32_t server, uint64_t initiator,
                                  uint64_t responder, uint8_t exchange, uint32_t message_id)
{
    return scene_input((struct tracker_packet){.way = way,
                                               .host = host,
                                               .server = server,
                                               .ike = true,
                                               .initiator = initiator,
                                               .responder = responder,
                                               .exchange = exchange,
                                               .message_id = message_id});
}

#define MAIN_MODE  2
#define QUICK_MODE 32
#define INFORM     5

/* The next move that was not looked at yet. */
static inline void expect_move(uint32_t handle, enum tracker_act act, uint32_t host)
{
    assert_true(scene.taken < scene.n_moves);
    const struct tracker_move *m = &scene.moves[scene.taken++];
    assert_int_equal(m->handle, handle);
    assert_int_equal(m->act, act);
    assert_int_equal(m->host, host);
}

static inline void expect_drop(uint32_t handle, enum tracker_reason reason)
{
    assert_true(scene.taken < scene.n_moves);
    const struct tracker_move *m = &scene.moves[scene.taken++];
    assert_int_equal(m->handle, handle);
    assert_int_equal(m->act, TRACKER_DROP);
    assert_int_equal(m->reason, reason);
}

static inline void expect_no_move(void)
{
    assert_int_equal(scene.taken, scene.n_moves);
}

static inline size_t told(enum tracker_event_type type, enum tracker_way way, uint32_t host, uint32_t spi)
{
    size_t n = 0;
    for (size_t i = 0; i < scene.n_events; i++) {
        const struct tracker_event *e = &scene.events[i];
        n += e->type == type && e->way == way && e->host == host && e->spi == spi;
    }
    return n;
}

/* Whether the kernel has this binding now, by what it was told. */
static inline bool in_kernel(enum tracker_way way, uint32_t host, uint32_t spi)
{
    return told(TRACKER_BOUND, way, host, spi) == told(TRACKER_UNBOUND, way, host, spi) + 1;
}

static inline uint64_t counter(enum tracker_counter c)
{
    return tracker_count(scene.t, c);
}

static inline int scene_begin(void **state)
{
    (void)state;
    scene_open(tracker_defaults());
    return 0;
}

/* The server asks and the host answers, for a second and more: so does nobody who does not see what the other sends. */
static inline void talk(uint32_t host, uint32_t server, uint32_t out, uint32_t in, uint32_t sequence)
{
    for (uint32_t i = 0; i < 10; i++) {
        (void)esp_in(server, in, sequence + i);
        scene_wait(2 * USEC_MSEC);
        (void)esp_out(host, server, out, sequence + i);
        scene_wait(148 * USEC_MSEC);
    }
    scene.taken = scene.n_moves;
}

/* Both talk to the server already, by IKE. */
static inline void two_hosts_meet(void)
{
    expect_move(ike_packet(TRACKER_OUT, A, SERVER, 1, 0, MAIN_MODE, 0), TRACKER_PASS, A);
    expect_move(ike_packet(TRACKER_OUT, B, SERVER, 2, 0, MAIN_MODE, 0), TRACKER_PASS, B);
}

static inline bool is_tentative(uint32_t host, uint32_t spi)
{
    struct tracker_binding_info b;
    for (const void *at = NULL; tracker_binding_next(scene.t, &at, &b);)
        if (b.spi == spi)
            return b.host == host && b.state == TRACKER_STATE_TENTATIVE;
    return false;
}

static inline bool has_seen(uint32_t handle, uint32_t host)
{
    for (size_t i = 0; i < scene.n_moves; i++) {
        const struct tracker_move *m = &scene.moves[i];
        if (m->handle == handle && m->host == host && (m->act == TRACKER_PASS || m->act == TRACKER_COPY))
            return true;
    }
    return false;
}

#endif
