/*
 * Control frames on their way out: a short queue of exactly fitting allocations, empty nearly always, so that an idle
 * link holds none. A frame that finds no room counts as lost on the way; every protocol here repeats itself.
 */
#include "ppp/ppp_internal.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_QUEUE_MAX 16
#define ALL_STATIONS    0xff03 /* address and control field */
#define FRAME_HEADER    8      /* ff 03, protocol, code, identifier, length */

struct frame {
    struct frame *next;
    uint16_t n;
    bool whole;
    uint8_t bytes[];
};

static void put(struct ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id, struct view body, bool whole)
{
    size_t n = FRAME_HEADER + body.n;
    if (ppp->out_count >= FRAME_QUEUE_MAX || n > PPP_FRAME_MAX)
        return;
    struct frame *f = malloc(sizeof *f + n);
    if (!f)
        return;
    /* ff 03 always: LCP needs it (RFC 1661 6.6), and nothing is gained by leaving it away on the others. */
    struct writer w = wr_init(f->bytes, n);
    wr_u16(&w, ALL_STATIONS);
    wr_u16(&w, protocol);
    wr_u8(&w, code);
    wr_u8(&w, id);
    wr_u16(&w, (uint16_t)(n - 4));
    wr_view(&w, body);
    f->n = (uint16_t)n;
    f->whole = whole;
    f->next = NULL;
    if (ppp->out_tail)
        ppp->out_tail->next = f;
    else
        ppp->out_head = f;
    ppp->out_tail = f;
    ppp->out_count++;
}

void frame_send(struct ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id, struct view body)
{
    put(ppp, protocol, code, id, body, false);
}

void frame_send_whole(struct ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id, struct view body)
{
    put(ppp, protocol, code, id, body, true);
}

bool frame_is_whole(const struct ppp *ppp)
{
    return ppp->out_head && ppp->out_head->whole;
}

/* Frames carry passwords and proofs: none is given back to the heap unwiped. */
static void pop(struct ppp *ppp)
{
    struct frame *f = ppp->out_head;
    ppp->out_head = f->next;
    if (!ppp->out_head)
        ppp->out_tail = NULL;
    ppp->out_count--;
    bytes_wipe(f->bytes, f->n);
    free(f);
}

bool frame_take(struct ppp *ppp, struct writer *w)
{
    const struct frame *f = ppp->out_head;
    if (!f || w->failed || w->cap - w->n < f->n)
        return false;
    wr_bytes(w, f->bytes, f->n);
    pop(ppp);
    return true;
}

void frame_drop_all(struct ppp *ppp)
{
    while (ppp->out_head)
        pop(ppp);
}
