/*
 * What the tests of ppp stand on: one side of a link with its events written down, and a rig of two sides, a wire with
 * delay and mishaps between them, and a clock that is only ever set.
 */
#ifndef SEKISHO_TEST_PPP_RIG_H
#define SEKISHO_TEST_PPP_RIG_H

#include "ppp/ppp.h"
#include "tests/test.h"

#define USER     "alice"
#define PASSWORD "secret1"

struct side {
    struct ppp *ppp;
    struct ppp_config config;
    struct random_test rng;
    usec_t now;
    bool mute;           /* questions are written down, not answered */
    const char *wording; /* what EAP-GTC asks; NULL: nobody says */
    bool again;          /* who answers wrong may answer again */
    char worded[PPP_NAME_MAX];
    uint8_t round;
    int wordings, asked, prompts, networks, networks6, probed, downs;
    uint16_t mtu;
    char prompt[PPP_PROMPT_MAX];
    enum stage stage;
    enum cause cause; /* of DOWN */
    struct ppp_network network, network6;
    struct ppp_auth_request question; /* its views do not outlive the event */
    char detail[STAGE_COUNT][128], down_detail[128];
};

static inline struct ppp_network assigned_network(void)
{
    return (struct ppp_network){.local = ip4_addr(0x0a000001),
                                .remote = ip4_addr(0x0a000063),
                                .dns = {ip4_addr(0x0a000035), ip4_addr(0x0a000036)}};
}

/* What aaa does with a question, for the one user there is. */
static inline struct ppp_auth_answer judge_question(const struct ppp_auth_request *q, const char *user,
                                                    const char *password)
{
    struct ppp_auth_answer a = {.cause = CAUSE_AUTH_PASSWORD, .network = assigned_network()};
    if (strcmp(q->user, user) != 0) {
        a.cause = CAUSE_AUTH_NO_USER;
        return a;
    }
    uint8_t hash[MSCHAP_NT_HASH_SIZE], want[MSCHAP_NT_RESPONSE];
    const char *slash = strchr(user, '\\');
    struct view name = view_str(slash ? slash + 1 : user);
    switch (q->method) {
    case PPP_AUTH_PAP:
    case PPP_AUTH_EAP_GTC:
        a.accepted = view_equal(q->password, view_str(password));
        break;
    case PPP_AUTH_CHAP_MD5:
    case PPP_AUTH_EAP_MD5:
        assert_int_equal(chap_md5_response(q->id, view_str(password), q->challenge, want), ERR_OK);
        a.accepted = view_equal(q->response, view_of(want, CHAP_MD5_SIZE));
        break;
    case PPP_AUTH_MSCHAPV2:
    case PPP_AUTH_EAP_MSCHAPV2:
        assert_int_equal(q->challenge.n, MSCHAP_CHALLENGE_SIZE);
        assert_int_equal(q->peer_challenge.n, MSCHAP_CHALLENGE_SIZE);
        assert_int_equal(mschap_nt_hash(view_str(password), hash), ERR_OK);
        assert_int_equal(mschapv2_nt_response(hash, q->challenge.p, q->peer_challenge.p, name, want), ERR_OK);
        a.accepted = view_equal(q->response, view_of(want, MSCHAP_NT_RESPONSE));
        assert_int_equal(mschapv2_authenticator_response(hash, want, q->challenge.p, q->peer_challenge.p, name,
                                                         a.authenticator_response),
                         ERR_OK);
        break;
    case PPP_AUTH_EAP_TLS:
        a.accepted = true;
        break;
    case PPP_AUTH_NONE:
        fail();
    }
    return a;
}

static inline void side_init(struct side *s, bool server, uint64_t seed)
{
    *s = (struct side){.config = {.server = server,
                                  .auth = {PPP_AUTH_MSCHAPV2, PPP_AUTH_CHAP_MD5, PPP_AUTH_PAP},
                                  .mru = 1400,
                                  .mtu = 1400,
                                  .acfc = true,
                                  .pfc = true,
                                  .restart = 3 * USEC_SEC,
                                  .max_configure = 10,
                                  .max_terminate = 2,
                                  .auth_timeout = 60 * USEC_SEC}};
    strcpy(s->config.name, "gw");
    strcpy(s->config.user, server ? "" : USER);
    strcpy(s->config.password, server ? "" : PASSWORD);
    random_test_init(&s->rng, seed);
}

static inline void side_start(struct side *s)
{
    struct ppp_env env = {.random = {random_test_fill, &s->rng}};
    s->ppp = ppp_new(&s->config, &env);
    assert_non_null(s->ppp);
    ppp_up(s->ppp, s->now);
}

static inline void side_note(struct side *s, const struct ppp_event *e)
{
    assert_int_equal(s->downs, 0); /* DOWN is the last word */
    switch (e->type) {
    case PPP_EVENT_STAGE:
        s->stage = e->stage;
        strcpy(s->detail[e->stage], e->detail);
        break;
    case PPP_EVENT_ASK:
        s->wordings++;
        strcpy(s->worded, e->auth.user);
        break;
    case PPP_EVENT_AUTH:
        s->asked++;
        s->question = e->auth;
        break;
    case PPP_EVENT_NETWORK:
        s->networks++;
        s->network = e->network;
        break;
    case PPP_EVENT_NETWORK6:
        s->networks6++;
        s->network6 = e->network;
        break;
    case PPP_EVENT_PROMPT:
        s->prompts++;
        strcpy(s->prompt, e->prompt);
        s->round = e->round;
        break;
    case PPP_EVENT_MTU:
        s->probed++;
        s->mtu = e->mtu;
        break;
    case PPP_EVENT_DOWN:
        s->downs++;
        s->cause = e->cause;
        strcpy(s->down_detail, e->detail);
        break;
    }
}

/* Pulls all events; answers questions unless mute. */
static inline void side_events(struct side *s)
{
    struct ppp_event e;
    while (ppp_event(s->ppp, &e)) {
        side_note(s, &e);
        if (e.type == PPP_EVENT_AUTH && !s->mute) {
            struct ppp_auth_answer a = judge_question(&e.auth, USER, PASSWORD);
            a.again = s->again && !a.accepted;
            ppp_auth_done(s->ppp, s->now, &a);
        }
        if (e.type == PPP_EVENT_ASK && s->wording)
            ppp_ask(s->ppp, s->now, view_str(s->wording));
    }
}

/* A frame on its way as the stack hands it over: through ppp_data_open(), then ppp_input(). */
static inline enum drop side_take(struct side *s, struct view frame)
{
    uint8_t room[16 + PPP_FRAME_MAX];
    assert_true(frame.n <= PPP_FRAME_MAX);
    if (frame.n > 0)
        memcpy(room + 16, frame.p, frame.n);
    struct packet p = {.data = room + 16, .len = (uint32_t)frame.n, .headroom = 16};
    enum drop d = ppp_data_open(s->ppp, &p);
    if (d != DROP_NONE || p.protocol == PPP_IP || p.protocol == PPP_IPV6)
        return d;
    d = ppp_input(s->ppp, s->now, view_of(p.data, p.len));
    side_events(s);
    return d;
}

static inline void side_advance(struct side *s, usec_t to)
{
    while (ppp_deadline(s->ppp) <= to) {
        assert_true(ppp_deadline(s->ppp) >= s->now);
        s->now = ppp_deadline(s->ppp);
        ppp_timeout(s->ppp, s->now);
        assert_true(ppp_deadline(s->ppp) > s->now); /* a deadline that was served is gone */
        side_events(s);
    }
    s->now = to;
}

/* ---- a scripted peer: hex in, hex out ---- */

static inline enum drop say(struct side *s, const char *hex)
{
    uint8_t frame[PPP_FRAME_MAX];
    return side_take(s, view_of(frame, unhex(hex, frame, sizeof frame)));
}

/* The next frame of the side; its length, 0 when it has none. */
static inline size_t hear(struct side *s, uint8_t out[static PPP_FRAME_MAX])
{
    struct writer w = wr_init(out, PPP_FRAME_MAX);
    return ppp_output(s->ppp, &w) ? w.n : 0;
}

static inline void expect(struct side *s, const char *hex)
{
    uint8_t want[PPP_FRAME_MAX], got[PPP_FRAME_MAX];
    size_t n = unhex(hex, want, sizeof want), m = hear(s, got);
    if (m != n || memcmp(got, want, n) != 0) {
        print_error("expected %s\ngot      ", hex);
        for (size_t i = 0; i < m; i++)
            print_error("%02x", got[i]);
        print_error("\n");
        fail();
    }
}

static inline void expect_silence(struct side *s)
{
    expect(s, "");
}

/* The next frame, which must begin like this; its bytes stay for a closer look. */
static inline size_t expect_start(struct side *s, const char *hex, uint8_t out[static PPP_FRAME_MAX])
{
    uint8_t want[PPP_FRAME_MAX];
    size_t n = unhex(hex, want, sizeof want), m = hear(s, out);
    assert_true(m >= n);
    assert_memory_equal(out, want, n);
    return m;
}

/* Says back a frame of the side with another code: an Ack of a Configure-Request. */
static inline void acknowledge(struct side *s, uint8_t *frame, size_t n)
{
    frame[4] = 2;
    side_take(s, view_of(frame, n));
}

/* The first Configure-Request of a server whose client waits for it; its length. */
static inline size_t hear_first(struct side *s, uint8_t out[static PPP_FRAME_MAX])
{
    expect_silence(s);
    side_advance(s, s->now + USEC_SEC);
    return hear(s, out);
}

/* ---- two sides ---- */

#define FLIGHTS_MAX 256

struct flight {
    struct side *to; /* NULL: free */
    usec_t at;
    uint64_t order;
    size_t n;
    uint8_t bytes[PPP_FRAME_MAX];
};

struct rig {
    struct side server, client;
    usec_t now, delay;
    uint64_t sent;                         /* frames put on the wire */
    uint64_t lose_at, double_at;           /* by number from 1 */
    uint32_t loss_percent, double_percent; /* of all */
    size_t pass_to_server, pass_to_client; /* longer frames are lost if they must stay whole; 0: all pass */
    struct random_test mishaps;
    struct flight flights[FLIGHTS_MAX];
};

static inline void rig_init(struct rig *r, uint64_t seed)
{
    memset(r, 0, sizeof *r);
    r->delay = 20 * USEC_MSEC;
    side_init(&r->server, true, seed * 2 + 1);
    side_init(&r->client, false, seed * 2 + 2);
    random_test_init(&r->mishaps, seed);
}

static inline void rig_start(struct rig *r)
{
    r->server.now = r->client.now = r->now;
    side_start(&r->server);
    side_start(&r->client);
}

static inline void rig_done(struct rig *r)
{
    ppp_free(r->server.ppp);
    ppp_free(r->client.ppp);
}

static inline void rig_fly(struct rig *r, struct side *to, const uint8_t *bytes, size_t n)
{
    struct random rng = {random_test_fill, &r->mishaps};
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        struct flight *f = &r->flights[i];
        if (f->to)
            continue;
        *f = (struct flight){.to = to, .at = r->now + r->delay, .order = r->sent, .n = n};
        if (r->loss_percent)
            f->at += random_below(&rng, 30) * USEC_MSEC; /* and out of order */
        memcpy(f->bytes, bytes, n);
        return;
    }
    fail_msg("the wire is full");
}

static inline void rig_send(struct rig *r, struct side *from, struct side *to)
{
    struct random rng = {random_test_fill, &r->mishaps};
    uint8_t frame[PPP_FRAME_MAX];
    const size_t pass = to == &r->server ? r->pass_to_server : r->pass_to_client;
    bool whole = ppp_output_whole(from->ppp);
    for (size_t n; (n = hear(from, frame)) > 0; whole = ppp_output_whole(from->ppp)) {
        if (whole && pass != 0 && n > pass)
            continue;
        r->sent++;
        bool lost = r->sent == r->lose_at || (r->loss_percent && random_below(&rng, 100) < r->loss_percent);
        bool twice = r->sent == r->double_at || (r->double_percent && random_below(&rng, 100) < r->double_percent);
        if (!lost)
            rig_fly(r, to, frame, n);
        if (twice)
            rig_fly(r, to, frame, n);
    }
}

static inline struct flight *rig_next_flight(struct rig *r)
{
    struct flight *first = NULL;
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        struct flight *f = &r->flights[i];
        if (f->to && (!first || f->at < first->at || (f->at == first->at && f->order < first->order)))
            first = f;
    }
    return first;
}

static inline void rig_run(struct rig *r, usec_t until)
{
    for (int steps = 0; steps < 100000; steps++) {
        rig_send(r, &r->server, &r->client);
        rig_send(r, &r->client, &r->server);
        struct flight *f = rig_next_flight(r);
        usec_t next = f ? f->at : USEC_NEVER;
        next = usec_min(next, usec_min(ppp_deadline(r->server.ppp), ppp_deadline(r->client.ppp)));
        if (next > until) {
            r->now = until;
            side_advance(&r->server, until);
            side_advance(&r->client, until);
            return;
        }
        r->now = next;
        side_advance(&r->server, next);
        side_advance(&r->client, next);
        if (f && f->at <= next) {
            struct side *to = f->to;
            f->to = NULL;
            side_take(to, view_of(f->bytes, f->n));
        }
    }
    fail_msg("the two never come to rest");
}

static inline bool rig_is_up(const struct rig *r)
{
    return r->server.networks > 0 && r->client.networks > 0;
}

/* One packet in both directions comes through. */
static inline void rig_assert_data_flows(struct rig *r)
{
    struct side *sides[] = {&r->server, &r->client};
    for (size_t i = 0; i < 2; i++) {
        uint8_t room[64] = {0};
        struct packet p = {.data = room + 16, .len = 20, .headroom = 16, .tailroom = 28};
        assert_true(ppp_data_seal(sides[i]->ppp, PPP_IP, &p));
        assert_int_equal(ppp_data_open(sides[1 - i]->ppp, &p), DROP_NONE);
        assert_int_equal(p.protocol, PPP_IP);
        assert_ptr_equal(p.data, room + 16);
        assert_int_equal(p.len, 20);
    }
}

#endif
