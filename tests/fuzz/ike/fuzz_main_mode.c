/* A gateway in the middle of main mode. The first byte tells how far it has come, with a key or with signatures, and
 * what exchange comes next; the rest is the body of the next message, under the right cookies. Nothing may bring a peer
 * up without the key. */
#include "fuzz_rig.h"

static const struct header *cookies(struct rig *r, int side)
{
    struct ike *ike = r->ike[side];
    if (side == 0)
        return &container_of(peer_get(ike, 1)->sas.next, struct sa, of_peer)->cookies;
    if (!list_empty(&ike->young))
        return &container_of(ike->young.next, struct sa, young)->cookies;
    return list_empty(&ike->half_open_age) ? NULL
                                           : &container_of(ike->half_open_age.next, struct half_open, age)->cookies;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    struct reader in = rd_init(view_of(data, size));
    const uint8_t how = rd_u8(&in), next = rd_u8(&in), flags = rd_u8(&in);
    const struct view body = rd_rest(&in);
    if (!rd_ok(&in) || body.n > IKE_MESSAGE_MAX - IKE_HEADER_SIZE)
        return 0;
    rig_begin(&r);
    const struct ike_connect c = {
        .path = rig_path(0), .psk = &r.psk, .credential = how & 0x40 ? &rig_credential : NULL};
    uint32_t peer;
    MUST(ike_connect(r.ike[0], r.now, &c, &peer) == ERR_OK);
    rig_deliver(&r, 0, 1 + how % 4);
    r.paused = true;
    rig_pull(&r);
    for (int side = 0; side < 2; side++) {
        const struct header *h = cookies(&r, side);
        if (!h)
            continue;
        uint8_t message[IKE_MESSAGE_MAX];
        struct writer w = wr_init(message, sizeof(message));
        wr_bytes(&w, h->icookie, COOKIE_SIZE);
        wr_bytes(&w, h->rcookie, COOKIE_SIZE);
        wr_u8(&w, next);
        wr_u8(&w, 0x10);
        wr_u8(&w, how & 0x80 ? EXCHANGE_INFO : EXCHANGE_MAIN);
        wr_u8(&w, flags);
        wr_u32(&w, how & 0x80 ? 1 : 0);
        wr_u32(&w, (uint32_t)(IKE_HEADER_SIZE + body.n));
        wr_view(&w, body);
        const struct path path = rig_path(side);
        (void)ike_input(r.ike[side], r.now, &path, wr_written(&w));
        rig_pull(&r);
    }
    MUST(r.peer[0] == 0 && r.peer[1] == 0);
    rig_end(&r);
    return 0;
}
