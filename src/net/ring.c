/*
 * A ring of records between two threads, one writing and one reading: no lock, and the reader is woken through its
 * loop. A record is a length and its bytes, in one piece: where it would cross the end, the rest of the ring is
 * skipped.
 */
#include "net/net_internal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64
#define HEAD       8          /* bytes of the length field; records are aligned to it */
#define SKIP       UINT32_MAX /* a length that says: go on at the beginning */
#define RING_LEAST 4096

struct ring {
    struct loop *reader;
    uint8_t *bytes;
    size_t size;
    /* Counted on and on; the place is the remainder. Each on its own cache line, as each has one writer. */
    _Alignas(CACHE_LINE) atomic_size_t read;
    _Alignas(CACHE_LINE) atomic_size_t written;
};

struct ring *ring_new(size_t bytes, struct loop *reader)
{
    size_t size = RING_LEAST;
    while (size < bytes && size <= SIZE_MAX / 4)
        size *= 2;
    struct ring *ring = aligned_alloc(CACHE_LINE, sizeof(*ring));
    uint8_t *memory = aligned_alloc(CACHE_LINE, size);
    if (!ring || !memory) {
        free(ring);
        free(memory);
        return NULL;
    }
    memset(ring, 0, sizeof(*ring));
    ring->reader = reader;
    ring->bytes = memory;
    ring->size = size;
    return ring;
}

void ring_free(struct ring *ring)
{
    if (!ring)
        return;
    bytes_wipe(ring->bytes, ring->size); /* packets have passed here in the clear */
    free(ring->bytes);
    free(ring);
}

static uint8_t *place(const struct ring *ring, size_t count)
{
    return ring->bytes + (count & (ring->size - 1));
}

static size_t record_size(size_t n)
{
    return HEAD + (n + HEAD - 1) / HEAD * HEAD;
}

static void put_length(uint8_t *p, uint32_t n)
{
    memcpy(p, &n, sizeof(n));
}

static uint32_t get_length(const uint8_t *p)
{
    uint32_t n;
    memcpy(&n, p, sizeof(n));
    return n;
}

bool ring_put(struct ring *ring, struct view head, struct view body)
{
    if (head.n > ring->size || body.n > ring->size)
        return false;
    const size_t need = record_size(head.n + body.n);
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    const size_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    const size_t to_end = ring->size - (written & (ring->size - 1));
    const size_t skip = need > to_end ? to_end : 0;
    if (need > ring->size / 2 || skip + need > ring->size - (written - read))
        return false;
    if (skip > 0) {
        put_length(place(ring, written), SKIP);
        written += skip;
    }
    uint8_t *p = place(ring, written);
    put_length(p, (uint32_t)(head.n + body.n));
    if (head.n > 0)
        memcpy(p + HEAD, head.p, head.n);
    if (body.n > 0)
        memcpy(p + HEAD + head.n, body.p, body.n);
    atomic_store_explicit(&ring->written, written + need, memory_order_release);
    if (ring->reader)
        loop_wake(ring->reader);
    return true;
}

struct view ring_peek(struct ring *ring)
{
    const size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (read == written)
        return VIEW_NONE;
    if (get_length(place(ring, read)) == SKIP) {
        read += ring->size - (read & (ring->size - 1));
        atomic_store_explicit(&ring->read, read, memory_order_release);
    }
    const uint8_t *p = place(ring, read);
    return (struct view){p + HEAD, get_length(p)};
}

void ring_pop(struct ring *ring)
{
    const struct view record = ring_peek(ring);
    if (!record.p)
        return;
    const size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, read + record_size(record.n), memory_order_release);
}
