/* Lost messages. Who began an exchange repeats by the clock; who answers keeps its answer and repeats it when the
 * question comes again. Quick mode's responder does both, since nothing else finds a lost QM3. */
#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

static const usec_t waits[] = {1 * USEC_SEC, 1 * USEC_SEC, 2 * USEC_SEC, 3 * USEC_SEC,
                               4 * USEC_SEC, 4 * USEC_SEC, 5 * USEC_SEC, 5 * USEC_SEC};

void resend_send(struct ike *ike, struct resend *r, const struct path *path, struct view message, bool armed)
{
    resend_done(ike, r);
    if (message.n == 0)
        return;
    queue_datagram(ike, path, message);
    r->bytes = malloc(message.n);
    if (!r->bytes)
        return;
    memcpy(r->bytes, message.p, message.n);
    r->n = (uint16_t)message.n;
    r->armed = armed;
    r->began = ike->now;
    alarm_set(ike, &r->alarm, armed ? ike->now + waits[0] : USEC_NEVER);
}

void resend_answer(struct ike *ike, struct resend *r, const struct path *path)
{
    /* A recorded message could be played to us for ever. */
    if (!r->bytes || r->answers >= REPEATS_MAX)
        return;
    r->answers++;
    queue_datagram(ike, path, view_of(r->bytes, r->n));
}

bool resend_again(struct ike *ike, struct resend *r, const struct path *path)
{
    const usec_t end = ike->config.patience ? r->began + ike->config.patience : USEC_NEVER;
    if (!r->bytes || ++r->tries >= ARRAY_LEN(waits) || ike->now >= end)
        return false;
    queue_datagram(ike, path, view_of(r->bytes, r->n));
    alarm_set(ike, &r->alarm, usec_min(ike->now + waits[r->tries], end));
    return true;
}

void resend_stop(struct ike *ike, struct resend *r)
{
    r->armed = false;
    alarm_clear(ike, &r->alarm);
}

void resend_done(struct ike *ike, struct resend *r)
{
    alarm_clear(ike, &r->alarm);
    free(r->bytes);
    r->bytes = NULL;
    r->n = 0;
    r->tries = r->answers = 0;
    r->armed = false;
}

void digest_take(struct digest *d, struct view message)
{
    digest_take_parts(d, &message, 1);
}

void digest_take_parts(struct digest *d, const struct view *parts, size_t n)
{
    uint8_t full[HASH_SIZE_MAX];
    d->set = hash_digest(HASH_SHA1, parts, n, full) == ERR_OK;
    memcpy(d->b, full, sizeof(d->b));
}

bool digest_matches(const struct digest *d, struct view message)
{
    struct digest other;
    if (!d->set)
        return false;
    digest_take(&other, message);
    return other.set && memcmp(d->b, other.b, sizeof(d->b)) == 0;
}
