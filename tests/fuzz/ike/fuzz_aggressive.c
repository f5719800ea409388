/* A client that waits for the second message of aggressive mode, and gets the input instead, under its cookie. Whatever
 * comes, it must not come up: nobody here knows the key. */
#include "fuzz_rig.h"

static struct sa *only_sa(struct rig *r)
{
    const struct peer *peer = peer_get(r->ike[0], 1);
    return peer && !list_empty(&peer->sas) ? container_of(peer->sas.next, struct sa, of_peer) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    struct reader in = rd_init(view_of(data, size));
    const uint8_t how = rd_u8(&in), next = rd_u8(&in), flags = rd_u8(&in);
    const struct view body = rd_rest(&in);
    uint8_t message[MESSAGE_SMALL];
    if (!rd_ok(&in) || body.n > sizeof(message) - IKE_HEADER_SIZE)
        return 0;
    rig_begin(&r);
    const struct ike_connect c = {.path = rig_path(0), .psk = &r.psk, .identity = "@fuzz", .aggressive = true};
    uint32_t peer;
    MUST(ike_connect(r.ike[0], r.now, &c, &peer) == ERR_OK);
    r.paused = true;
    rig_pull(&r);
    const struct sa *sa = only_sa(&r);
    MUST(sa && sa->state == SA_AM2_WAIT);
    const struct header cookies = sa->cookies;
    for (int times = 0; times < 1 + how % 3; times++) {
        struct writer w = wr_init(message, sizeof(message));
        wr_bytes(&w, cookies.icookie, COOKIE_SIZE);
        wr_u64(&w, 1 + (uint64_t)times);
        wr_u8(&w, next);
        wr_u8(&w, 0x10);
        wr_u8(&w, how & 0x80 ? EXCHANGE_INFO : EXCHANGE_AGGRESSIVE);
        wr_u8(&w, flags);
        wr_u32(&w, 0);
        wr_u32(&w, (uint32_t)(IKE_HEADER_SIZE + body.n));
        wr_view(&w, body);
        const struct path path = rig_path(0);
        (void)ike_input(r.ike[0], r.now, &path, wr_written(&w));
        rig_pull(&r);
    }
    MUST(r.peer[0] == 0);
    rig_end(&r);
    return 0;
}
