/*
 * The anti-replay window of an inbound SA (RFC 4303 section 3.4.3), as a ring of words (RFC 6479). Sequence numbers are
 * of 32 bits and end with the SA, so word numbers only grow.
 */
#include "esp/esp_internal.h"

static uint64_t *word_of(struct replay *r, uint32_t sequence)
{
    return &r->seen[sequence / REPLAY_WORD % REPLAY_WORDS];
}

static uint64_t bit_of(uint32_t sequence)
{
    return (uint64_t)1 << sequence % REPLAY_WORD;
}

bool replay_fresh(const struct replay *r, uint32_t sequence)
{
    if (sequence > r->top)
        return true;
    if (sequence == 0 || r->top - sequence >= ESP_REPLAY_WINDOW)
        return false;
    return (r->seen[sequence / REPLAY_WORD % REPLAY_WORDS] & bit_of(sequence)) == 0;
}

/* The words between the old and the new top hold what has left the window. */
static void advance(struct replay *r, uint32_t sequence)
{
    uint32_t words = sequence / REPLAY_WORD - r->top / REPLAY_WORD;
    if (words > REPLAY_WORDS)
        words = REPLAY_WORDS;
    for (uint32_t i = 0; i < words; i++)
        *word_of(r, sequence - i * REPLAY_WORD) = 0;
    r->top = sequence;
}

bool replay_commit(struct replay *r, uint32_t sequence)
{
    if (!replay_fresh(r, sequence))
        return false;
    if (sequence > r->top)
        advance(r, sequence);
    *word_of(r, sequence) |= bit_of(sequence);
    return true;
}
