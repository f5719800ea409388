/*
 * How likely it is that a host owns an inbound SPI, in sixteenths of a bit. Two things that happen tell: the host sends
 * just after it was shown a packet, or the server's packet comes just after the host has sent. Both also happen by
 * chance, the more often the more the host sends anyway. What counts is the ratio of the two likelihoods: with a host
 * that answers in a time of mean TAU after an event, and sends anyway at the rate R, seeing it send after d is
 *
 *      1 - Q + Q * S * (1 + 1 / (TAU * R)),     S = exp(-d / TAU)
 *
 * times as likely when it has been asked (in the share Q of all cases) than when it has not. Under chance the mean of
 * this is 1, so that many trials do not add up to a wrong belief.
 */
#include "tracker/tracker_internal.h"

#define BIT 16

#define RATE_HALF   (500 * USEC_MSEC)
#define RATE_PACKET 1386 /* what one packet adds to the rate in 1,000 s: ln 2 / RATE_HALF */
#define RATE_FLOOR  500  /* a packet in 2 s: nobody is believed to be more silent */

#define ANSWER_HALF  5545  /* us; TAU 8 ms * ln 2: hosts in a home, also on the air */
#define ANSWER_TAU   8     /* ms */
#define ANSWER_SHARE 128   /* of 256 */
#define REPLY_HALF   41589 /* us; TAU 60 ms * ln 2: the server's answer, across the Internet */
#define REPLY_TAU    60
#define REPLY_SHARE  77

#define ANSWER_MAX (5 * BIT)
#define REPLY_MAX  (4 * BIT)
#define FLOOR      (-6 * BIT)
#define CEILING    (40 * BIT)

#define PRIOR_OPEN      (2 * BIT)
#define PRIOR_CLOSED    (-3 * BIT)
#define PRIOR_AGE       (3 * BIT) /* both new */
#define PRIOR_OTHER_AGE (-2 * BIT)
#define PRIOR_ONLY      (3 * BIT)
#define PRIOR_SEQUENCE  BIT

uint32_t evidence_halved(uint32_t value, usec_t elapsed, usec_t half)
{
    const usec_t halves = elapsed / half;
    if (halves >= 32)
        return 0;
    value >>= halves;
    return value - (uint32_t)(value / 2 * (elapsed % half) / half);
}

static uint32_t rate_at(const struct contact *c, usec_t now)
{
    const uint32_t rate = evidence_halved(c->rate, now - c->sent, RATE_HALF);
    return rate > RATE_FLOOR ? rate : RATE_FLOOR;
}

void evidence_sent(struct contact *c, usec_t now)
{
    c->rate = evidence_halved(c->rate, now - c->sent, RATE_HALF) + RATE_PACKET;
    c->sent = now;
}

/* The binary logarithm of v/256 in sixteenths, straight between powers of two. */
static int32_t bits(uint32_t v)
{
    int32_t whole = 0;
    if (v == 0)
        return FLOOR;
    while (v >= 512) {
        v >>= 1;
        whole += BIT;
    }
    while (v < 256) {
        v <<= 1;
        whole -= BIT;
    }
    return whole + (int32_t)((v - 256) * BIT / 256);
}

/* The ratio above, over 256. rate is in packets in 1,000 s, tau in ms. */
static uint32_t ratio(usec_t elapsed, usec_t half, uint32_t tau, uint32_t rate, uint32_t share)
{
    const uint32_t s = evidence_halved(1u << 16, elapsed, half);
    const uint64_t gain = 256 + 256ull * 1000 * 1000 / (tau * (uint64_t)rate);
    return (uint32_t)(256 - share + share * (s * gain >> 16) / 256);
}

static void add(struct candidate *k, int32_t amount, int32_t most)
{
    k->evidence += amount < most ? amount : most;
    if (k->evidence < FLOOR)
        k->evidence = FLOOR;
    if (k->evidence > CEILING)
        k->evidence = CEILING;
}

void evidence_answer(struct candidate *k, usec_t now)
{
    const uint32_t r = ratio(now - k->trial, ANSWER_HALF, ANSWER_TAU, rate_at(k->contact, now), ANSWER_SHARE);
    k->trial = 0;
    if (r > 512 && k->answers < UINT8_MAX)
        k->answers++;
    add(k, bits(r), ANSWER_MAX);
}

void evidence_no_answer(struct candidate *k)
{
    k->trial = 0;
    /* a packet that is itself an answer calls for none */
    if (k->quiet)
        add(k, bits(256 - ANSWER_SHARE), 0);
}

void evidence_arrival(struct candidate *k, usec_t now)
{
    const struct contact *c = k->contact;
    const usec_t elapsed = c->sent == 0 ? USEC_NEVER / 2 : now - c->sent;
    const uint32_t r = ratio(elapsed, REPLY_HALF, REPLY_TAU, rate_at(c, now), REPLY_SHARE);
    if (r > 512 && k->replies < UINT8_MAX)
        k->replies++;
    add(k, bits(r), REPLY_MAX);
}

static bool near(uint32_t a, uint32_t b)
{
    const uint32_t more = a > b ? a : b, less = a > b ? b : a;
    return more - less <= more / 16;
}

int32_t evidence_prior(const struct inbound *in, const struct contact *c)
{
    const struct pair *p = pair_open(c, in->newborn);
    if (!p)
        return PRIOR_CLOSED;
    int32_t prior = PRIOR_OPEN;
    if (p->newborn != in->newborn)
        prior += PRIOR_OTHER_AGE;
    else if (in->newborn)
        prior += PRIOR_AGE;
    else if (near(p->sequence, in->sequence))
        prior += PRIOR_SEQUENCE;
    if (in->open_contacts == 1)
        prior += PRIOR_ONLY;
    return prior;
}
