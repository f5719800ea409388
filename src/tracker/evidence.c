/*
 * How likely it is that a host owns an inbound SPI, in sixteenths of a bit. Two things that happen tell: the host sends
 * just after it was shown a packet, or the server's packet comes just after the host has sent. Both also happen by
 * chance, the more often the more the host sends anyway. What counts is the ratio of the two likelihoods: with a host
 * that answers in a time of mean TAU after an event, and sends anyway at the rate R, seeing it send after d is
 *
 *      1 - Q + Q * S * (1 + 1 / (TAU * R)),     S = exp(-d / TAU)
 *
 * times as likely when it has been asked (in the share Q of all cases) than when it has not. Under chance the mean of
 * this is 1, so that by many trials a wrong host comes to a ratio of N with a probability of 1/N at most (Ville). Q is
 * learnt for each candidate from the trials before, which leaves that true: a stream that is never answered says little
 * against its host by each silence.
 *
 * Hosts that send often and evenly, as a voice does, keep step with the server by chance for minutes: what they do is
 * no evidence.
 */
#include "tracker/tracker_internal.h"

#define RATE_HALF   (150 * USEC_MSEC)
#define RATE_PACKET 4621 /* what one packet adds to the rate in 1,000 s: ln 2 / RATE_HALF */
#define RATE_FLOOR  1000 /* a packet a second: nobody is believed to be more silent */
#define RATE_BUSY   12000
#define ACQUAINTED  (250 * USEC_MSEC) /* who was seen for less may be busy */
#define COUNTED     (15 * USEC_SEC)   /* what the kernel has counted tells so long */
#define GAP         (100 * USEC_MSEC)

#define ANSWER_HALF  5545  /* us; TAU 8 ms * ln 2: hosts in a home, also on the air */
#define ANSWER_TAU   8     /* ms */
#define ANSWER_SHARE 128   /* of 256, at first */
#define REPLY_HALF   41589 /* us; TAU 60 ms * ln 2: the server's answer, across the Internet */
#define REPLY_TAU    60
#define REPLY_SHARE  77
#define ECHO_HALF    2079 /* us; TAU 3 ms * ln 2: how evenly a server answers */
#define ECHO_TAU     (3 * USEC_MSEC)
#define ECHO_SHARE   128
#define ECHO_LATE    USEC_SEC
#define SHARE_MIN    6
#define SHARE_MAX    220

#define ANSWER_MAX (5 * BIT)
#define REPLY_MAX  (3 * BIT)
#define REPLIED_MAX                                                                                                    \
    (6 * BIT) /* in all: it says whom to try, but binds nothing, since hosts that ask evenly keep step too */
#define FLOOR   (-12 * BIT)
#define CEILING (40 * BIT)

#define PRIOR_OPEN      (2 * BIT)
#define PRIOR_CLOSED    (-3 * BIT)
#define PRIOR_AGE       (3 * BIT) /* both new */
#define PRIOR_OTHER_AGE (-2 * BIT)
#define PRIOR_ONLY      (3 * BIT)
#define PRIOR_SEQUENCE  BIT

/* value after so long, when it halves every half. */
static uint32_t halved(uint32_t value, usec_t elapsed, usec_t half)
{
    const usec_t halves = elapsed / half;
    if (halves >= 32)
        return 0;
    value >>= halves;
    return value - (uint32_t)(value / 2 * (elapsed % half) / half);
}

/* After a gap in its sending a host is as silent as the gap is long, however busy it was before. */
static uint32_t rate_at(const struct contact *c, usec_t now)
{
    const usec_t gap = now - c->heard;
    uint32_t rate = halved(c->rate, gap, RATE_HALF);
    if (gap > GAP && rate > 2000 * USEC_SEC / gap)
        rate = (uint32_t)(2000 * USEC_SEC / gap);
    return rate > RATE_FLOOR ? rate : RATE_FLOOR;
}

static bool is_forwarded(const struct contact *c)
{
    LIST_EACH(l, &c->pairs)
    if (container_of(l, struct pair, of_contact)->told)
        return true;
    return false;
}

bool evidence_is_busy(const struct contact *c, usec_t now)
{
    if (now - c->since < ACQUAINTED || (now < c->busy_until && is_forwarded(c)))
        return true;
    return now - c->heard <= GAP && rate_at(c, now) > RATE_BUSY;
}

void evidence_counted(struct contact *c, usec_t now, uint64_t packets)
{
    const usec_t time = now - c->counted;
    if (packets * 1000 * USEC_SEC > RATE_BUSY * time)
        c->busy_until = now + COUNTED;
    c->counted = now;
}

void evidence_heard(struct contact *c, usec_t now)
{
    c->rate = halved(c->rate, now - c->heard, RATE_HALF) + RATE_PACKET;
    c->heard = now;
}

void evidence_begin(struct candidate *k, struct contact *c, int32_t evidence)
{
    *k = (struct candidate){.contact = c,
                            .answered = evidence,
                            .answer_share = ANSWER_SHARE,
                            .reply_share = REPLY_SHARE,
                            .echo_share = ECHO_SHARE,
                            .echo_seen = c->moved};
}

int32_t evidence_bits(uint32_t v)
{
    int32_t whole = 0;
    if (v == 0)
        return FLOOR;
    for (; v >= 512; v >>= 1)
        whole += BIT;
    for (; v < 256; v <<= 1)
        whole -= BIT;
    /* straight between powers of two */
    return whole + (int32_t)((v - 256) * BIT / 256);
}

/* The ratio above, over 256. rate is in packets in 1,000 s, tau in ms. */
static uint32_t ratio(usec_t elapsed, usec_t half, uint32_t tau, uint32_t rate, uint32_t share)
{
    const uint32_t s = halved(1u << 16, elapsed, half);
    const uint64_t gain = 256 + 256ull * 1000 * 1000 / (tau * (uint64_t)rate);
    return (uint32_t)(256 - share + share * (s * gain >> 16) / 256);
}

static int32_t within(int32_t v, int32_t least, int32_t most)
{
    return v < least ? least : v > most ? most : v;
}

static void learn(uint8_t *share, bool hit)
{
    const int32_t s = *share;
    *share = (uint8_t)within(hit ? s + (SHARE_MAX - s) / 4 : s - s / 8 - 1, SHARE_MIN, SHARE_MAX);
}

bool evidence_answer(struct candidate *k, usec_t now)
{
    const usec_t elapsed = now - k->trial;
    const uint32_t rate = rate_at(k->contact, now);
    k->trial = 0;
    if (evidence_is_busy(k->contact, now))
        return true;
    const uint32_t r = ratio(elapsed, ANSWER_HALF, ANSWER_TAU, rate, k->answer_share);
    const bool hit = r > 512;
    if (hit && k->answers < UINT8_MAX)
        k->answers++;
    if (hit)
        k->misses = 0;
    k->answered = within(k->answered + within(evidence_bits(r), FLOOR, ANSWER_MAX), FLOOR, CEILING);
    learn(&k->answer_share, hit);
    return hit;
}

void evidence_no_answer(struct candidate *k)
{
    k->trial = 0;
    /* a packet that is itself an answer calls for none */
    if (!k->quiet)
        return;
    if (k->misses < UINT8_MAX)
        k->misses++;
    k->answered = within(k->answered + evidence_bits(256u - k->answer_share), FLOOR, CEILING);
    learn(&k->answer_share, false);
}

void evidence_arrival(struct candidate *k, usec_t now)
{
    const struct contact *c = k->contact;
    const usec_t elapsed = c->sent == 0 ? USEC_NEVER / 2 : now - c->sent;
    const uint32_t rate = rate_at(c, now);
    if (evidence_is_busy(c, now))
        return;
    const uint32_t r = ratio(elapsed, REPLY_HALF, REPLY_TAU, rate, k->reply_share);
    k->replied = within(k->replied + within(evidence_bits(r), FLOOR, REPLY_MAX), FLOOR, REPLIED_MAX);
    learn(&k->reply_share, r > 512);
}

/* The ratio for a packet that comes so far from when it was expected. By chance it comes at any time within the delay,
 * or within the server's own pause where that is shorter. */
static uint32_t echo_ratio(usec_t off, usec_t window, uint32_t share)
{
    const uint32_t s = halved(1u << 16, off, ECHO_HALF);
    return 256 - share + (uint32_t)(share * (s * window / (2 * ECHO_TAU)) >> 16);
}

void evidence_echo(struct candidate *k, usec_t now, usec_t silent)
{
    const usec_t elapsed = now - k->contact->moved;
    k->echo_seen = k->contact->moved;
    if (elapsed > ECHO_LATE) {
        k->echoed = within(k->echoed + evidence_bits(256u - k->echo_share), FLOOR, CEILING);
        learn(&k->echo_share, false);
        return;
    }
    if (k->echo == 0) {
        k->echo = elapsed + 1;
        return;
    }
    const usec_t off = elapsed > k->echo ? elapsed - k->echo : k->echo - elapsed;
    const uint32_t r = echo_ratio(off, usec_min(silent, DELAY_MAX), k->echo_share);
    const bool hit = r > 512;
    if (hit && k->echoes < UINT8_MAX)
        k->echoes++;
    k->echoed = within(k->echoed + evidence_bits(r), FLOOR, CEILING);
    k->echo = hit ? (3 * k->echo + elapsed) / 4 + 1 : elapsed + 1;
    learn(&k->echo_share, hit);
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
    if (in->open_contacts == 1 && p->open_since <= in->since)
        prior += PRIOR_ONLY;
    return prior;
}

int32_t evidence_score(const struct inbound *in, const struct candidate *k)
{
    return k->answered + k->replied + k->echoed + evidence_prior(in, k->contact);
}
