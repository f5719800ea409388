/*
 * IKE fragmentation as Cisco and Microsoft have it ([MS-IKEE] 3.3.2; no RFC describes it for IKEv1): a message too
 * large for one packet goes as several, each with the header of the whole, without its E flag, and one payload of type
 * 132. It is announced by a vendor ID.
 *
 * Fragments prove nothing, so they are kept only where our cookie came back, in numbers that are limited each way. All
 * peers use one id for all their messages; so the newest fragment is right, and what contradicts it goes. Whoever can
 * read cookies on the way can spoil a message, but none that is sent again.
 */
#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

#define FRAGMENT_HEADER_SIZE 8
#define FLAG_LAST            1
#define NEXT_AT              16
#define FLAGS_AT             19
#define LENGTH_AT            24

struct piece {
    uint8_t *bytes; /* NULL: not here yet */
    uint16_t n;
};

/* A message of which fragments have come. */
struct reassembly {
    struct link age;
    usec_t since;
    struct header cookies;
    struct path path;
    uint16_t id;
    uint8_t last; /* number of the last fragment; 0: not known yet */
    size_t bytes;
    struct piece pieces[FRAGMENTS_MAX]; /* by number - 1 */
};

enum drop fragment_parse(struct view body, struct fragment *out)
{
    struct reader r = rd_init(body);
    const uint8_t next = rd_u8(&r), reserved = rd_u8(&r);
    const uint16_t length = rd_u16(&r);
    out->id = rd_u16(&r);
    out->number = rd_u8(&r);
    out->last = rd_u8(&r) & FLAG_LAST;
    out->data = rd_rest(&r);
    if (!rd_ok(&r) || next != PAYLOAD_NONE || reserved != 0 || length != body.n || out->number == 0)
        return DROP_IKE_MALFORMED;
    return out->number > FRAGMENTS_MAX ? DROP_IKE_FRAGMENT_LIMIT : DROP_NONE;
}

/* ---- keeping ---- */

static void forget_piece(struct reassembly *a, size_t i)
{
    a->bytes -= a->pieces[i].n;
    free(a->pieces[i].bytes);
    a->pieces[i] = (struct piece){0};
}

static void forget_pieces(struct reassembly *a)
{
    for (size_t i = 0; i < FRAGMENTS_MAX; i++)
        forget_piece(a, i);
    a->last = 0;
}

static void drop(struct ike *ike, struct reassembly *a)
{
    forget_pieces(a);
    list_remove(&a->age);
    ike->reassembly_count--;
    free(a);
}

static void expire(struct ike *ike, struct alarm *alarm)
{
    LIST_EACH_SAFE(l, &ike->reassemblies)
    {
        struct reassembly *a = container_of(l, struct reassembly, age);
        if (a->since + REASSEMBLY_LIFE > ike->now) {
            alarm_set(ike, alarm, a->since + REASSEMBLY_LIFE);
            return;
        }
        drop(ike, a);
    }
}

void fragment_init(struct ike *ike)
{
    list_init(&ike->reassemblies);
    ike->reassembly_expiry.ring = expire;
}

void fragment_done(struct ike *ike)
{
    LIST_EACH_SAFE(l, &ike->reassemblies)
    drop(ike, container_of(l, struct reassembly, age));
}

static bool same_cookies(const struct header *a, const struct header *b)
{
    return memcmp(a->icookie, b->icookie, COOKIE_SIZE) == 0 && memcmp(a->rcookie, b->rcookie, COOKIE_SIZE) == 0;
}

/* Whether the sender has shown that it gets what we send to it. */
static bool is_proved(struct ike *ike, const struct message *m)
{
    const struct sa *sa = sa_find(ike, &m->header);
    if (sa)
        return cookie_key(sa->cookies.rcookie) != 0;
    const struct half_open *h = half_open_find(ike, &m->header);
    return h && ip_equal(&h->path.remote.addr, &m->path->remote.addr);
}

static struct reassembly *find(struct ike *ike, const struct message *m)
{
    LIST_EACH_SAFE(l, &ike->reassemblies)
    {
        struct reassembly *a = container_of(l, struct reassembly, age);
        if (same_cookies(&a->cookies, &m->header) && endpoint_equal(&a->path.remote, &m->path->remote))
            return a;
    }
    return NULL;
}

/* The oldest of one source, or of all, makes way: an honest message is whole within milliseconds. */
static void make_room(struct ike *ike, const struct path *path)
{
    const struct ip_addr source = source_of(&path->remote.addr);
    struct reassembly *oldest = NULL;
    size_t n = 0;
    LIST_EACH_SAFE(l, &ike->reassemblies)
    {
        struct reassembly *a = container_of(l, struct reassembly, age);
        const struct ip_addr other = source_of(&a->path.remote.addr);
        if (!ip_equal(&other, &source))
            continue;
        if (n++ == 0)
            oldest = a;
    }
    if (n >= REASSEMBLIES_PER_SOURCE)
        drop(ike, oldest);
    else if (ike->reassembly_count >= REASSEMBLIES_MAX)
        drop(ike, container_of(ike->reassemblies.next, struct reassembly, age));
}

static struct reassembly *begin(struct ike *ike, const struct message *m)
{
    make_room(ike, m->path);
    struct reassembly *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->since = ike->now;
    a->cookies = m->header;
    a->path = *m->path;
    if (list_empty(&ike->reassemblies))
        alarm_set(ike, &ike->reassembly_expiry, ike->now + REASSEMBLY_LIFE);
    list_append(&ike->reassemblies, &a->age);
    ike->reassembly_count++;
    return a;
}

/* Makes way for a fragment: for its number, and whatever cannot be of the same message. */
static void clear_for(struct reassembly *a, const struct fragment *f)
{
    if (a->id != f->id)
        forget_pieces(a);
    if (a->last != 0 && (f->last || f->number >= a->last)) {
        forget_piece(a, a->last - 1u);
        a->last = 0;
    }
    forget_piece(a, f->number - 1u);
    for (size_t i = f->number; f->last && i < FRAGMENTS_MAX; i++)
        forget_piece(a, i);
}

static enum drop keep(struct reassembly *a, const struct fragment *f)
{
    struct piece *p = &a->pieces[f->number - 1];
    clear_for(a, f);
    if (a->bytes + f->data.n > IKE_MESSAGE_MAX)
        return DROP_IKE_FRAGMENT_LIMIT;
    p->bytes = malloc(f->data.n ? f->data.n : 1);
    if (!p->bytes)
        return DROP_NO_MEMORY;
    if (f->data.n > 0)
        memcpy(p->bytes, f->data.p, f->data.n);
    p->n = (uint16_t)f->data.n;
    a->bytes += f->data.n;
    a->id = f->id;
    if (f->last)
        a->last = f->number;
    return DROP_NONE;
}

/* ---- putting together ---- */

static bool is_complete(const struct reassembly *a)
{
    for (size_t i = 0; i < a->last; i++) {
        if (!a->pieces[i].bytes)
            return false;
    }
    return a->last != 0;
}

/* Its own header says how long it is, so that parts of two messages are found out. */
static bool is_message(const struct reassembly *a, struct view whole)
{
    struct header h;
    struct view body;
    return header_parse(whole, &h, &body) == DROP_NONE && IKE_HEADER_SIZE + body.n == whole.n &&
           same_cookies(&h, &a->cookies) && h.next != PAYLOAD_FRAGMENT;
}

static enum drop deliver(struct ike *ike, struct reassembly *a, uint8_t newest)
{
    uint8_t *bytes = malloc(a->bytes ? a->bytes : 1);
    if (!bytes)
        return DROP_NO_MEMORY;
    struct writer w = wr_init(bytes, a->bytes);
    for (size_t i = 0; i < a->last; i++)
        wr_bytes(&w, a->pieces[i].bytes, a->pieces[i].n);
    enum drop d = DROP_IKE_FRAGMENT;
    if (is_message(a, wr_written(&w))) {
        const struct path path = a->path;
        drop(ike, a);
        d = ike_input(ike, ike->now, &path, wr_written(&w));
    } else if (a->last == 1) {
        drop(ike, a);
    } else {
        for (size_t i = 0; i < a->last; i++) {
            if (i != newest - 1u)
                forget_piece(a, i);
        }
        if (newest != a->last)
            a->last = 0;
    }
    free(bytes);
    return d;
}

enum drop fragment_input(struct ike *ike, const struct message *m)
{
    struct fragment f;
    if (!is_proved(ike, m))
        return DROP_IKE_FRAGMENT_STRAY;
    enum drop d = fragment_parse(m->body, &f);
    if (d != DROP_NONE)
        return d;
    struct reassembly *a = find(ike, m);
    if (!a)
        a = begin(ike, m);
    if (!a)
        return DROP_NO_MEMORY;
    d = keep(a, &f);
    if (d != DROP_NONE)
        drop(ike, a);
    else if (is_complete(a))
        d = deliver(ike, a, f.number);
    return d;
}

/* ---- cutting ---- */

/* Bytes of a message that fit into one packet that passes everywhere. */
static size_t room(const struct path *path)
{
    const size_t ip = path->remote.addr.family == 6 ? 40 : 20;
    const size_t udp = 8, marker = path->local.port == IKE_PORT ? 0 : 4;
    return FRAGMENT_PACKET_MAX - ip - udp - marker;
}

static struct view write_fragment(struct writer *w, struct view whole, const struct fragment *f)
{
    struct reader r = rd_init(whole);
    wr_view(w, rd_view(&r, IKE_HEADER_SIZE));
    wr_patch8(w, NEXT_AT, PAYLOAD_FRAGMENT);
    wr_patch8(w, FLAGS_AT, 0);
    wr_patch32(w, LENGTH_AT, (uint32_t)(IKE_HEADER_SIZE + FRAGMENT_HEADER_SIZE + f->data.n));
    wr_u8(w, PAYLOAD_NONE);
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)(FRAGMENT_HEADER_SIZE + f->data.n));
    wr_u16(w, f->id);
    wr_u8(w, f->number);
    wr_u8(w, f->last ? FLAG_LAST : 0);
    wr_view(w, f->data);
    return wr_written(w);
}

bool fragment_send(struct ike *ike, const struct path *path, struct view whole)
{
    struct header h;
    struct view body;
    uint8_t bytes[FRAGMENT_PACKET_MAX];
    const size_t most = room(path);
    if (whole.n <= most || header_parse(whole, &h, &body) != DROP_NONE)
        return false;
    const struct sa *sa = sa_find(ike, &h);
    if (!sa || !vendors_have(&sa->vendors, VENDOR_FRAGMENTATION))
        return false;
    const size_t each = most - IKE_HEADER_SIZE - FRAGMENT_HEADER_SIZE;
    struct fragment f = {.id = 1}; /* as all do */
    for (struct reader r = rd_init(whole); rd_left(&r) > 0;) {
        struct writer w = wr_init(bytes, sizeof(bytes));
        f.number++;
        f.last = rd_left(&r) <= each;
        f.data = rd_view(&r, f.last ? rd_left(&r) : each);
        queue_datagram(ike, path, write_fragment(&w, whole, &f));
    }
    return true;
}
