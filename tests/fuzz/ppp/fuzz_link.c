/*
 * The whole machine: the bytes are a script of frames of any protocol, acknowledgements of what the link asked for,
 * passing time, late or stale answers about the user, and a close in between.
 */
#include "fuzz_rig.h"

static void step(struct fuzz_link *l, struct reader *r)
{
    uint8_t what = rd_u8(r);
    switch (what & 7) {
    case 0:
        fuzz_advance(l, (what >> 3) * USEC_SEC);
        break;
    case 1:
        if (l->frame_len > 4)
            fuzz_acknowledge(l);
        break;
    case 2:
        fuzz_answer(l, what & 8); /* asked for or not */
        break;
    case 3:
        if (what == 0xfb)
            ppp_close(l->ppp, l->now, CAUSE_ADMIN);
        else
            ppp_alive(l->ppp, l->now);
        fuzz_drain(l);
        break;
    case 4: /* our own frame comes back */
        fuzz_say(l, l->frame, l->frame_len);
        break;
    default: {
        size_t n = rd_u8(r);
        struct view v = rd_view(r, n < rd_left(r) ? n : rd_left(r));
        fuzz_say(l, v.p, v.n);
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = rd_init(view_of(data, size));
    uint8_t kind = rd_u8(&r);
    struct fuzz_link l;
    fuzz_open(&l, kind & 1, 1 + (kind >> 1) % 3);
    while (rd_left(&r) > 0)
        step(&l, &r);
    fuzz_advance(&l, 600 * USEC_SEC);
    ppp_free(l.ppp);
    return 0;
}
