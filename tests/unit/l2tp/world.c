#include "tests/unit/l2tp/world.h"

struct l2tp_config usual_config(const char *name)
{
    struct l2tp_config c = {
        .receive_window = 8,
        .hello_interval = 60 * USEC_SEC,
        .retransmit_first = USEC_SEC,
        .retransmit_cap = 8 * USEC_SEC,
        .retransmit_tries = 5,
        .ack_delay = 100 * USEC_MSEC,
        .max_tunnels = 100,
        .max_tunnels_per_carrier = 4,
        .max_sessions_per_tunnel = 4,
    };
    snprintf(c.host_name, sizeof(c.host_name), "%s", name);
    return c;
}

void host_start(struct host *h, const struct l2tp_config *config, uint64_t seed)
{
    memset(h, 0, sizeof(*h));
    random_test_init(&h->random, seed);
    h->l2tp = l2tp_new(config, &(struct l2tp_env){.random = {random_test_fill, &h->random}});
    assert_non_null(h->l2tp);
}

void host_stop(struct host *h)
{
    l2tp_free(h->l2tp);
    h->l2tp = NULL;
}

void host_listens(struct host *h)
{
    struct l2tp_event e;
    while (l2tp_event(h->l2tp, &e)) {
        if (h->n_events == EVENTS_MAX) { /* the oldest half has been looked at */
            h->n_events = EVENTS_MAX / 2;
            memmove(h->events, h->events + EVENTS_MAX / 2, sizeof(h->events) / 2);
        }
        h->events[h->n_events++] = e;
    }
}

enum drop host_hears_from(struct host *h, usec_t now, uint32_t carrier, struct view message)
{
    /* Its own memory, so that a sanitizer sees the first byte too many. */
    uint8_t *copy = malloc(message.n ? message.n : 1);
    if (message.n)
        memcpy(copy, message.p, message.n);
    const enum drop verdict = l2tp_input(h->l2tp, now, carrier, view_of(copy, message.n));
    free(copy);
    host_listens(h);
    return verdict;
}

enum drop host_hears(struct host *h, usec_t now, struct view message)
{
    return host_hears_from(h, now, CARRIER, message);
}

enum drop host_hears_hex(struct host *h, usec_t now, const char *hex)
{
    uint8_t bytes[MESSAGE_MAX];
    return host_hears(h, now, view_of(bytes, unhex(hex, bytes, sizeof(bytes))));
}

bool host_says(struct host *h, struct message_bytes *out)
{
    uint32_t carrier = 0;
    struct writer w = wr_init(out->p, sizeof(out->p));
    if (!l2tp_output(h->l2tp, &carrier, &w))
        return false;
    assert_true(wr_ok(&w));
    assert_int_equal(carrier, CARRIER);
    out->n = w.n;
    return true;
}

struct message_bytes expect_says(struct host *h, unsigned type)
{
    struct message_bytes m;
    if (!host_says(h, &m))
        fail_msg("silence where %s was due", message_word(type));
    const unsigned said = message_type_of(view_of(m.p, m.n));
    if (said != type)
        fail_msg("%s where %s was due", message_word(said), message_word(type));
    return m;
}

void expect_silence(struct host *h)
{
    struct message_bytes m;
    if (host_says(h, &m))
        fail_msg("%s where silence was due", message_word(message_type_of(view_of(m.p, m.n))));
}

void host_waits(struct host *h, usec_t now)
{
    l2tp_timeout(h->l2tp, now);
    host_listens(h);
}

const struct l2tp_event *told(const struct host *h, enum l2tp_event_type type)
{
    for (size_t i = h->n_events; i > 0; i--)
        if (h->events[i - 1].type == type)
            return &h->events[i - 1];
    return NULL;
}

size_t told_count(const struct host *h, enum l2tp_event_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_events; i++)
        n += h->events[i].type == type;
    return n;
}

void forget(struct host *h)
{
    h->n_events = 0;
}

unsigned message_type_of(struct view message)
{
    return message.n >= 20 ? be16_get(message.p + 18) : 0;
}

const char *message_word(unsigned type)
{
    static const char *const words[] = {"ZLB",  "SCCRQ", "SCCRP", "SCCCN", "StopCCN", "5",   "Hello", "OCRQ", "OCRP",
                                        "OCCN", "ICRQ",  "ICRP",  "ICCN",  "13",      "CDN", "WEN",   "SLI"};
    return type < ARRAY_LEN(words) ? words[type] : "?";
}

uint16_t word_at(const struct message_bytes *m, size_t at)
{
    assert_true(at + 2 <= m->n);
    return be16_get(m->p + at);
}

struct view avp_of(const struct message_bytes *m, unsigned attribute)
{
    struct reader r = rd_init(view_of(m->p, m->n));
    rd_skip(&r, 12);
    while (rd_left(&r) > 0) {
        const uint16_t length = rd_u16(&r) & 0x3ff;
        const uint16_t vendor = rd_u16(&r);
        const uint16_t type = rd_u16(&r);
        const struct view value = rd_view(&r, length - 6U);
        assert_true(rd_ok(&r));
        if (vendor == 0 && type == attribute)
            return value;
    }
    return (struct view){NULL, SIZE_MAX};
}

uint16_t avp_u16(const struct message_bytes *m, unsigned attribute)
{
    const struct view v = avp_of(m, attribute);
    assert_int_not_equal(v.n, SIZE_MAX);
    assert_true(v.n >= 2);
    return be16_get(v.p);
}

/* ---- a peer by hand ---- */

static void hand_header(struct hand *hand, uint16_t session_id)
{
    hand->w = wr_init(hand->out.p, sizeof(hand->out.p));
    wr_u16(&hand->w, 0xc802);
    wr_u16(&hand->w, 12);
    wr_u16(&hand->w, hand->peer_id);
    wr_u16(&hand->w, session_id);
    wr_u16(&hand->w, hand->ns);
    wr_u16(&hand->w, hand->nr);
}

void hand_begin(struct hand *hand, unsigned type, uint16_t session_id)
{
    hand_header(hand, session_id);
    hand_u16(hand, 0, (uint16_t)type);
}

void hand_avp(struct hand *hand, unsigned flags, unsigned vendor, unsigned attribute, const void *value, size_t n)
{
    wr_u16(&hand->w, (uint16_t)(flags | (6 + n)));
    wr_u16(&hand->w, (uint16_t)vendor);
    wr_u16(&hand->w, (uint16_t)attribute);
    wr_bytes(&hand->w, value, n);
}

void hand_u16(struct hand *hand, unsigned attribute, uint16_t value)
{
    uint8_t b[2];
    be16_put(b, value);
    hand_avp(hand, 0x8000, 0, attribute, b, 2);
}

void hand_u32(struct hand *hand, unsigned attribute, uint32_t value)
{
    uint8_t b[4];
    be32_put(b, value);
    hand_avp(hand, 0x8000, 0, attribute, b, 4);
}

struct view hand_end(struct hand *hand)
{
    wr_patch16(&hand->w, 2, (uint16_t)hand->w.n);
    assert_true(wr_ok(&hand->w));
    hand->out.n = hand->w.n;
    hand->ns++;
    return wr_written(&hand->w);
}

struct view hand_zlb(struct hand *hand)
{
    hand_header(hand, 0);
    hand->out.n = hand->w.n;
    return wr_written(&hand->w);
}

void hand_took(struct hand *hand, const struct message_bytes *m)
{
    assert_int_equal(word_at(m, 8), hand->nr);
    hand->nr++;
}

void hand_tunnel(struct hand *hand, struct host *lns, usec_t now)
{
    hand->peer_id = hand->ns = hand->nr = 0;
    hand_begin(hand, 1, 0); /* --> SCCRQ */
    hand_u16(hand, 2, 0x0100);
    hand_u32(hand, 3, 3);
    hand_avp(hand, 0x8000, 0, 7, "hand", 4);
    hand_u16(hand, 9, hand->tunnel_id);
    assert_int_equal(host_hears(lns, now, hand_end(hand)), DROP_NONE);
    const struct message_bytes reply = expect_says(lns, 2); /* <-- SCCRP */
    hand_took(hand, &reply);
    hand->peer_id = avp_u16(&reply, 9);
    hand_begin(hand, 3, 0); /* --> SCCCN */
    assert_int_equal(host_hears(lns, now, hand_end(hand)), DROP_NONE);
    expect_says(lns, 0); /* <-- ZLB */
    expect_silence(lns);
}

void hand_session(struct hand *hand, struct host *lns, usec_t now)
{
    hand_begin(hand, 10, 0); /* --> ICRQ */
    hand_u16(hand, 14, hand->session_id);
    hand_u32(hand, 15, 1);
    assert_int_equal(host_hears(lns, now, hand_end(hand)), DROP_NONE);
    const struct message_bytes reply = expect_says(lns, 11); /* <-- ICRP */
    hand_took(hand, &reply);
    hand->peer_session_id = avp_u16(&reply, 14);
    hand_begin(hand, 12, hand->peer_session_id); /* --> ICCN */
    hand_u32(hand, 24, 100000000);
    hand_u32(hand, 19, 1);
    assert_int_equal(host_hears(lns, now, hand_end(hand)), DROP_NONE);
    expect_says(lns, 0); /* <-- ZLB */
    expect_silence(lns);
}

/* ---- a pair ---- */

void pair_start(struct pair *p, const struct l2tp_config *lac, const struct l2tp_config *lns, uint64_t seed)
{
    memset(p, 0, sizeof(*p));
    p->seed = seed;
    p->now = USEC_SEC;
    random_test_init(&p->fate, seed ^ 0xfa7e);
    host_start(&p->lac, lac, seed * 2);
    host_start(&p->lns, lns, seed * 2 + 1);
}

void pair_stop(struct pair *p)
{
    host_stop(&p->lac);
    host_stop(&p->lns);
}

static void deliver(struct pair *p, bool to_lns, const struct message_bytes *m)
{
    (void)host_hears(to_lns ? &p->lns : &p->lac, p->now, view_of(m->p, m->n));
}

static bool carry(struct pair *p, bool to_lns)
{
    struct message_bytes m;
    if (!host_says(to_lns ? &p->lac : &p->lns, &m))
        return false;
    const int fate = p->way ? p->way(p, to_lns, view_of(m.p, m.n)) : 0;
    struct message_bytes *late = &p->late[to_lns];
    if (fate == 3 && late->n == 0) {
        *late = m;
        return true;
    }
    if (fate != 1)
        deliver(p, to_lns, &m);
    if (fate == 2)
        deliver(p, to_lns, &m);
    if (late->n) {
        deliver(p, to_lns, late);
        late->n = 0;
    }
    return true;
}

void pair_talk(struct pair *p)
{
    host_listens(&p->lac);
    host_listens(&p->lns);
    int messages = 0;
    for (;;) {
        const bool there = carry(p, true);
        const bool back = carry(p, false);
        if (!there && !back)
            return;
        if (++messages > 1000)
            fail_msg("they never stop talking (seed %llu)", (unsigned long long)p->seed);
    }
}

void pair_run(struct pair *p, usec_t until)
{
    pair_talk(p);
    for (int turns = 0;; turns++) {
        const usec_t at = usec_min(l2tp_deadline(p->lac.l2tp), l2tp_deadline(p->lns.l2tp));
        if (at > until)
            break;
        if (turns > 10000)
            fail_msg("time stands still (seed %llu)", (unsigned long long)p->seed);
        p->now = at > p->now ? at : p->now;
        host_waits(&p->lac, p->now);
        host_waits(&p->lns, p->now);
        pair_talk(p);
    }
    p->now = until;
}

void pair_connect(struct pair *p)
{
    assert_int_equal(l2tp_connect(p->lac.l2tp, p->now, CARRIER), ERR_OK);
    pair_run(p, p->now + USEC_SEC);
    assert_non_null(told(&p->lac, L2TP_EVENT_SESSION_UP));
    assert_non_null(told(&p->lns, L2TP_EVENT_SESSION_UP));
}
