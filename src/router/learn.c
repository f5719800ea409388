/*
 * The packets that the kernel does not know. A packet stays in the datagram that brought it while the tracker judges;
 * only one that is held back gets a copy of its own, in a slot whose number is the tracker's handle.
 */
#include "router/router_internal.h"

#include <stdlib.h>
#include <string.h>

#define READS_MAX    128 /* datagrams of one group in a turn: the others shall have theirs */
#define ERROR_PACKET 600 /* bytes of an ICMP error that we make */

bool learn_init(struct router *r)
{
    const struct tracker_config config = tracker_defaults();
    r->slot_count = config.held + 1; /* and the one that is being looked at */
    r->slots = calloc(r->slot_count, sizeof(*r->slots));
    r->tracker = tracker_new(&config);
    return r->slots && r->tracker;
}

void learn_done(struct router *r)
{
    for (uint32_t i = 0; r->slots && i < r->slot_count; i++)
        if (r->slots[i].owned)
            free(r->slots[i].p);
    free(r->slots);
    tracker_free(r->tracker);
}

/* ---- slots ---- */

static struct slot *take_slot(struct router *r)
{
    for (uint32_t i = 0; i < r->slot_count; i++) {
        struct slot *s = &r->slots[(r->slot_hint + i) % r->slot_count];
        if (s->used)
            continue;
        r->slot_hint = (uint32_t)(s - r->slots) + 1;
        s->used = true;
        return s;
    }
    return NULL;
}

static void release(struct slot *s)
{
    if (s->owned)
        free(s->p);
    *s = (struct slot){.used = false};
}

/* The datagram will be overwritten. Without memory the packet is lost and its slot stays, empty, until the tracker lets
 * go of it. */
static void keep(struct router *r, struct slot *s)
{
    uint8_t *copy = malloc(s->n);
    if (copy)
        memcpy(copy, s->p, s->n);
    else
        r->drops[ROUTER_DROP_SLOTS]++;
    s->p = copy;
    s->owned = copy != NULL;
}

/* ---- sending ---- */

static void answer_error(struct router *r, const struct slot *s, bool too_big, uint16_t mtu)
{
    uint8_t room[ERROR_PACKET];
    struct writer w = wr_init(room, sizeof(room));
    const struct ip_addr from = ip4_addr(r->address);
    const struct view packet = view_of(s->p, s->n);
    const enum err e = too_big ? ip_too_big(packet, &from, mtu, &w) : ip_time_exceeded(packet, &from, &w);
    if (e == ERR_OK)
        (void)kernel_send(r->kernel, TRACKER_OUT, wr_written(&w), &mtu);
}

static void count_passed(struct router *r, const struct slot *s, uint32_t host)
{
    const struct tracker_packet *facts = &s->facts;
    const struct flow_key key = {.way = facts->way,
                                 .ike = facts->ike,
                                 .host = facts->way == TRACKER_OUT ? host : 0,
                                 .server = facts->server,
                                 .id = facts->ike ? facts->initiator : facts->spi};
    r->packets[facts->way]++;
    r->bytes[facts->way] += s->n;
    (void)flows_passed(r->flows, &key, host, s->n);
}

static void send_out(struct router *r, struct slot *s)
{
    uint16_t mtu = 0;
    if (r->address == 0) {
        r->drops[ROUTER_DROP_NO_ADDRESS]++;
        return;
    }
    binding_server(r, s->facts.server);
    packet_set_source(s->p, s->n, r->address);
    if (kernel_send(r->kernel, TRACKER_OUT, view_of(s->p, s->n), &mtu) == ERR_OK)
        count_passed(r, s, s->facts.host);
    else
        r->drops[ROUTER_DROP_SEND]++;
}

static void send_in(struct router *r, struct slot *s, uint32_t host)
{
    uint16_t mtu = 0;
    packet_set_destination(s->p, s->n, host);
    const enum err e = kernel_send(r->kernel, TRACKER_IN, view_of(s->p, s->n), &mtu);
    if (e == ERR_OK) {
        count_passed(r, s, host);
    } else if (e == ERR_LIMIT) {
        r->drops[ROUTER_DROP_TOO_BIG]++;
        packet_set_destination(s->p, s->n, r->address); /* as its sender knows it */
        answer_error(r, s, true, mtu);
    } else {
        r->drops[ROUTER_DROP_SEND]++;
    }
}

static void do_move(struct router *r, const struct tracker_move *move)
{
    struct slot *s = move->handle < r->slot_count ? &r->slots[move->handle] : NULL;
    if (!s || !s->used)
        return;
    if (s->p && (move->act == TRACKER_PASS || move->act == TRACKER_COPY)) {
        if (move->way == TRACKER_OUT)
            send_out(r, s);
        else
            send_in(r, s, move->host);
    }
    if (move->act == TRACKER_DROP && move->reason < TRACKER_REASONS)
        r->reasons[move->reason]++;
    if (move->act != TRACKER_COPY)
        release(s);
}

/* ---- events ---- */

static const struct {
    const char *level, *type;
} event_words[] = {
    [TRACKER_BOUND] = {"info", "bound"},
    [TRACKER_UNBOUND] = {"info", "unbound"},
    [TRACKER_AMBIGUOUS] = {"warning", "ambiguous"},
    [TRACKER_CORRECTED] = {"warning", "corrected"},
    [TRACKER_REFUSED] = {"warning", "refused"},
};

static void tell(struct router *r, const struct tracker_event *e)
{
    char text[48];
    struct log_line line = {
        .level = event_words[e->type].level,
        .type = event_words[e->type].type,
        .way = e->way == TRACKER_OUT ? "out" : "in",
        .ike = e->ike,
        .host = e->host,
        .before = e->before,
        .server = e->server,
        .id = e->ike ? e->initiator : e->spi,
        .cause = e->reason != TRACKER_REASON_NONE ? tracker_reason_word(e->reason) : NULL,
    };
    if (e->type == TRACKER_AMBIGUOUS) {
        snprintf(text, sizeof(text), "%u hosts may be meant", e->candidates);
        line.text = text;
    }
    router_tell(r, &line);
}

static void follow(struct router *r)
{
    struct tracker_move move;
    struct tracker_event event;
    while (tracker_event(r->tracker, &event)) {
        binding_event(r, &event);
        tell(r, &event);
    }
    while (tracker_output(r->tracker, &move))
        do_move(r, &move);
}

/* ---- packets ---- */

static void judge(struct router *r, struct slot *s)
{
    s->facts.handle = (uint32_t)(s - r->slots);
    tracker_input(r->tracker, loop_now(r->loop), &s->facts);
    follow(r);
    if (s->used && !s->owned && s->p)
        keep(r, s);
}

static void take_packet(struct router *r, enum tracker_way way, uint8_t *p, size_t n)
{
    struct ip_info ip;
    struct slot *s = take_slot(r);
    if (!s) {
        r->drops[ROUTER_DROP_SLOTS]++;
        return;
    }
    s->p = p;
    s->n = n;
    if (ip_info(view_of(p, n), &ip) != ERR_OK || tracker_parse(view_of(p, n), way, &s->facts) != ERR_OK) {
        r->drops[ROUTER_DROP_MALFORMED]++;
        release(s);
        return;
    }
    s->n = ip.total;
    if (!packet_mend(p, s->n)) {
        r->drops[ROUTER_DROP_CHECKSUM]++;
        release(s);
    } else if (way == TRACKER_IN && !packet_hop(p, s->n)) { /* on the way out the kernel has done that */
        r->drops[ROUTER_DROP_TTL]++;
        answer_error(r, s, false, 0);
        release(s);
    } else {
        judge(r, s);
    }
}

/* An error from outside quotes what a host has sent, with our address for its own; one from inside, or from the router,
 * quotes what a host has been sent. */
static void take_error(struct router *r, uint8_t *p, size_t n)
{
    struct icmp_error e;
    uint32_t host;
    uint16_t mtu = 0;
    if (r->address == 0 || icmp_error_read(view_of(p, n), &e) != ERR_OK) {
        r->drops[ROUTER_DROP_ERROR_STRAY]++;
        return;
    }
    enum tracker_way way = TRACKER_OUT;
    if (e.destination == r->address && e.quoted_source == r->address &&
        flows_owner(r->flows, TRACKER_OUT, e.ike, e.quoted_destination, e.has_id, e.id, &host)) {
        way = TRACKER_IN;
        icmp_error_translate(p, n, &e, 0, host, host, 0);
        if (!packet_hop(p, n)) {
            r->drops[ROUTER_DROP_TTL]++;
            return;
        }
    } else if (e.source == r->address && e.quoted_destination == r->address) {
        ; /* the router's own, about what came to itself */
    } else if (e.destination == e.quoted_source &&
               flows_owner(r->flows, TRACKER_IN, e.ike, e.quoted_source, e.has_id, e.id, &host) &&
               e.quoted_destination == host) {
        icmp_error_translate(p, n, &e, r->address, 0, 0, r->address);
    } else {
        r->drops[ROUTER_DROP_ERROR_STRAY]++;
        return;
    }
    if (kernel_send(r->kernel, way, view_of(p, n), &mtu) != ERR_OK)
        r->drops[ROUTER_DROP_SEND]++;
}

static void count_lost(struct router *r, enum router_group group, const struct nflog_packet *packet)
{
    if (packet->numbered && r->numbered[group])
        r->drops[ROUTER_DROP_LOST] += packet->sequence - r->sequence[group] - 1;
    r->numbered[group] = packet->numbered;
    r->sequence[group] = packet->sequence;
}

static void take_datagram(struct router *r, enum router_group group, uint8_t *datagram, size_t n)
{
    struct nflog_packet packet;
    while (nflog_next(&datagram, &n, &packet)) {
        count_lost(r, group, &packet);
        if (group == GROUP_ERROR)
            take_error(r, packet.p, packet.n);
        else
            take_packet(r, group == GROUP_OUT ? TRACKER_OUT : TRACKER_IN, packet.p, packet.n);
    }
}

void learn_ready(struct router *r, enum router_group group)
{
    uint8_t *datagram = NULL;
    for (int i = 0; i < READS_MAX; i++) {
        const ssize_t n = kernel_read_group(r->kernel, group, &datagram);
        if (n == 0)
            return;
        if (n > 0)
            take_datagram(r, group, datagram, (size_t)n);
    }
}

void learn_turn(struct router *r, usec_t now)
{
    if (tracker_deadline(r->tracker) <= now)
        tracker_timeout(r->tracker, now);
    follow(r);
    binding_commit(r);
}
