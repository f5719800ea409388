/* The header of a data message, for a session that exists: ids in the input's usual places are made to fit. */
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct l2tp *start(struct random_test *random, uint16_t *tunnel_id, uint16_t *session_id)
{
    static const struct l2tp_config config = {
        .receive_window = 8,
        .retransmit_first = USEC_SEC,
        .retransmit_cap = USEC_SEC,
        .retransmit_tries = 5,
        .shard_bits = 8, /* small tables: faster runs */
        .max_tunnels = 1,
        .max_tunnels_per_carrier = 1,
        .max_sessions_per_tunnel = 1,
    };
    struct l2tp *l = l2tp_new(&config, &(struct l2tp_env){.random = {random_test_fill, random}});
    if (!l || l2tp_connect(l, 0, 1) != ERR_OK)
        abort();
    /* The shortest way to a session that is up: by hand. */
    struct session *s = l->numbers[1].session;
    s->state = SESSION_ESTABLISHED;
    *tunnel_id = s->tunnel->id;
    *session_id = s->id;
    return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct random_test random;
    uint16_t tunnel_id, session_id;
    if (size < 1 || size > 2048)
        return 0;
    random_test_init(&random, 1);
    struct l2tp *l = start(&random, &tunnel_id, &session_id);
    const size_t n = size - 1;
    uint8_t *buffer = malloc(n + ROOM);
    uint8_t *bytes = buffer + ROOM;
    memcpy(bytes, data + 1, n);
    const size_t at = data[0] & 1 ? 4 : 2; /* with or without a length */
    if (n >= at + 4) {
        be16_put(bytes + at, tunnel_id);
        be16_put(bytes + at + 2, session_id);
    }
    struct packet p = {.data = bytes, .len = (uint32_t)n, .headroom = ROOM};
    if (l2tp_data_open(l, 1, &p) == DROP_NONE) {
        if (p.data < bytes || p.data + p.len > bytes + n || p.data - p.headroom != buffer || p.owner != 1 ||
            (size_t)p.headroom + p.len + p.tailroom != n + ROOM)
            abort();
        if (!l2tp_data_seal(l, p.owner, &p))
            abort();
    }
    free(buffer);
    l2tp_free(l);
    return 0;
}
