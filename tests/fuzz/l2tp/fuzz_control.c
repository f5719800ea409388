/* Control messages against an LNS with a session and a LAC in the midst of its set-up. The input is a script of steps:
 * a byte that says what, a byte of length, and that many bytes. */
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>
#include <string.h>

#define CARRIER 1

enum step { STEP_RAW, STEP_FRAMED, STEP_AHEAD, STEP_TIME, STEP_VERB, STEP_STRANGER, STEP_COUNT };

struct scene {
    struct l2tp *l2tp;
    struct random_test random;
    usec_t now;
    uint16_t tunnel_id, session_id; /* the host's, from its messages */
    uint16_t ns, nr;
    uint32_t live;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint16_t u16_of(struct view m, uint16_t attribute)
{
    struct reader r = rd_init(m);
    rd_skip(&r, CONTROL_HEADER_SIZE);
    while (rd_left(&r) > 0) {
        struct avp_raw a;
        l2tp_avp_next(&r, &a);
        if (!rd_ok(&r) || m.n > L2TP_SEND_MAX)
            abort(); /* what we say must be well-formed */
        if (a.attribute == attribute && !a.hidden && a.value.n >= 2)
            return be16_get(a.value.p);
    }
    return 0;
}

static void check_text(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            abort();
}

static void pull(struct scene *s)
{
    uint8_t bytes[L2TP_SEND_MAX];
    struct l2tp_event event;
    uint32_t carrier = 0;
    for (unsigned n = 0;; n++) {
        struct writer w = wr_init(bytes, sizeof(bytes));
        if (!l2tp_output(s->l2tp, &carrier, &w))
            break;
        if (n > 100000 || !wr_ok(&w) || w.n < CONTROL_HEADER_SIZE)
            abort();
        const struct view m = wr_written(&w);
        const uint16_t tunnel = u16_of(m, AVP_TUNNEL_ID), session = u16_of(m, AVP_SESSION_ID);
        s->tunnel_id = tunnel ? tunnel : s->tunnel_id;
        s->session_id = session ? session : s->session_id;
        if (m.n > CONTROL_HEADER_SIZE)
            s->nr = (uint16_t)(be16_get(m.p + HEADER_AT_NS) + 1);
    }
    while (l2tp_event(s->l2tp, &event)) {
        if (event.type == L2TP_EVENT_SESSION_UP)
            s->live++;
        check_text(event.detail);
        check_text(event.station);
        if (event.station[0] && strncmp(event.station, L2TP_STATION_PREFIX, sizeof(L2TP_STATION_PREFIX) - 1) != 0)
            abort();
    }
}

static void hear(struct scene *s, uint32_t carrier, struct view m)
{
    uint8_t *copy = malloc(m.n ? m.n : 1);
    if (m.n)
        memcpy(copy, m.p, m.n);
    (void)l2tp_input(s->l2tp, s->now, carrier, view_of(copy, m.n));
    free(copy);
    pull(s);
}

/* body are AVPs; the header around them fits, so that they get far. */
static void hear_framed(struct scene *s, uint16_t skip, bool to_session, struct view body)
{
    uint8_t bytes[CONTROL_HEADER_SIZE + 256];
    struct writer w = wr_init(bytes, sizeof(bytes));
    const struct header h = {.tunnel_id = s->tunnel_id,
                             .session_id = to_session ? s->session_id : 0,
                             .ns = (uint16_t)(s->ns + skip),
                             .nr = s->nr};
    l2tp_header_write(&w, &h, body.n);
    wr_view(&w, body);
    hear(s, CARRIER, wr_written(&w));
    if (skip == 0 && body.n > 0)
        s->ns++;
}

static void hear_text(struct scene *s, bool to_session, const char *bytes, size_t n)
{
    hear_framed(s, 0, to_session, view_of(bytes, n));
}

static void prelude(struct scene *s, uint8_t kind)
{
    if (kind & 1) {
        (void)l2tp_connect(s->l2tp, s->now, CARRIER);
        pull(s);
    }
    if (kind & 2) {
        static const char sccrq[] = "\x80\x08\0\0\0\0\0\1\x80\x08\0\0\0\2\1\0\x80\x08\0\0\0\x09\0\7";
        static const char scccn[] = "\x80\x08\0\0\0\0\0\3";
        static const char icrq[] = "\x80\x08\0\0\0\0\0\x0a\x80\x08\0\0\0\x0e\0\5";
        static const char iccn[] = "\x80\x08\0\0\0\0\0\x0c";
        s->tunnel_id = 0;
        s->nr = s->ns = 0;
        hear_text(s, false, sccrq, sizeof(sccrq) - 1);
        if (kind & 4)
            hear_text(s, false, scccn, sizeof(scccn) - 1);
        if (kind & 8)
            hear_text(s, false, icrq, sizeof(icrq) - 1);
        if (kind & 16)
            hear_text(s, true, iccn, sizeof(iccn) - 1);
    }
}

static void use_verb(struct scene *s, struct view arguments)
{
    struct reader r = rd_init(arguments);
    switch (rd_u8(&r) % 6) {
    case 0:
        (void)l2tp_connect(s->l2tp, s->now, CARRIER);
        break;
    case 1:
        l2tp_session_close(s->l2tp, s->now, rd_u8(&r), CAUSE_ADMIN);
        break;
    case 2:
        l2tp_carrier_close(s->l2tp, s->now, CARRIER, CAUSE_SHUTDOWN);
        break;
    case 3:
        l2tp_carrier_gone(s->l2tp, s->now, CARRIER, CAUSE_PEER_SILENT);
        break;
    case 4:
        l2tp_carrier_alive(s->l2tp, s->now, CARRIER);
        break;
    default:
        s->ns = 0;
        s->tunnel_id = 0; /* the peer has restarted */
        break;
    }
    pull(s);
}

static void take_step(struct scene *s, enum step step, struct view bytes)
{
    switch (step) {
    case STEP_RAW:
        hear(s, CARRIER, bytes);
        break;
    case STEP_FRAMED:
        hear_framed(s, 0, bytes.n > 7 && bytes.p[7] > 10, bytes);
        break;
    case STEP_AHEAD:
        hear_framed(s, 1 + bytes.n % 9, false, bytes);
        break;
    case STEP_TIME:
        s->now = usec_min(l2tp_deadline(s->l2tp), s->now + 100 * USEC_SEC);
        l2tp_timeout(s->l2tp, s->now);
        pull(s);
        break;
    case STEP_VERB:
        use_verb(s, bytes);
        break;
    case STEP_STRANGER:
    case STEP_COUNT:
        hear(s, CARRIER + 1, bytes);
        break;
    }
}

static void check(struct scene *s)
{
    if (l2tp_tunnel_count(s->l2tp) > 6 || l2tp_session_count(s->l2tp) > 6 * 4)
        abort();
    l2tp_carrier_gone(s->l2tp, s->now, CARRIER, CAUSE_SHUTDOWN);
    l2tp_carrier_gone(s->l2tp, s->now, CARRIER + 1, CAUSE_SHUTDOWN);
    pull(s);
    if (l2tp_tunnel_count(s->l2tp) || l2tp_session_count(s->l2tp) || l2tp_deadline(s->l2tp) != USEC_NEVER)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = rd_init(view_of(data, size));
    const uint8_t kind = rd_u8(&r);
    struct l2tp_config config = {
        .host_name = "fuzz",
        .receive_window = 8,
        .hello_interval = 60 * USEC_SEC,
        .retransmit_first = USEC_SEC,
        .retransmit_cap = 8 * USEC_SEC,
        .retransmit_tries = 5,
        .ack_delay = 100 * USEC_MSEC,
        .shard_bits = 8, /* small tables: faster runs */
        .max_tunnels = 6,
        .max_tunnels_per_carrier = 3,
        .max_sessions_per_tunnel = 4,
        .hide_avps = kind & 64,
    };
    if (kind & 32)
        (void)secret_set(&config.secret, view_str("secret"));
    struct scene s = {.now = USEC_SEC};
    random_test_init(&s.random, 1);
    s.l2tp = l2tp_new(&config, &(struct l2tp_env){.random = {random_test_fill, &s.random}});
    if (!s.l2tp)
        return 0;
    prelude(&s, kind);
    while (rd_ok(&r) && rd_left(&r) >= 2) {
        const enum step step = rd_u8(&r) % STEP_COUNT;
        const size_t n = rd_u8(&r);
        take_step(&s, step, rd_view(&r, n < rd_left(&r) ? n : rd_left(&r)));
    }
    check(&s);
    l2tp_free(s.l2tp);
    return 0;
}
