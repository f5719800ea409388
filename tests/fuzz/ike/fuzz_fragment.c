/* Fragments under the right cookies, at any point of a conversation. The first byte tells how far it has come; then
 * follow fragments: id, number, flags, length, data. A message may be put together from them, never more than the
 * limits be kept, and nothing be left. */
#include "fuzz_rig.h"

static const struct header *cookies(struct rig *r, int side)
{
    struct ike *ike = r->ike[side];
    if (r->peer[side])
        return &peer_sa(peer_get(ike, r->peer[side]))->cookies;
    return list_empty(&ike->half_open_age) ? NULL
                                           : &container_of(ike->half_open_age.next, struct half_open, age)->cookies;
}

static void give(struct rig *r, int side, const struct header *h, struct reader *in)
{
    uint8_t message[IKE_MESSAGE_MAX];
    struct writer w = wr_init(message, sizeof(message));
    const uint8_t id = rd_u8(in), number = rd_u8(in), flags = rd_u8(in);
    const size_t n = rd_u8(in);
    const struct view data = rd_view(in, n < rd_left(in) ? n : rd_left(in));
    wr_bytes(&w, h->icookie, COOKIE_SIZE);
    wr_bytes(&w, h->rcookie, COOKIE_SIZE);
    wr_u8(&w, PAYLOAD_FRAGMENT);
    wr_u8(&w, 0x10);
    wr_u8(&w, flags & 0x40 ? EXCHANGE_INFO : EXCHANGE_MAIN);
    wr_u8(&w, flags >> 7);
    wr_u32(&w, 0);
    wr_u32(&w, (uint32_t)(IKE_HEADER_SIZE + 8 + data.n));
    wr_u16(&w, 0);
    wr_u16(&w, (uint16_t)(8 + data.n));
    wr_u16(&w, id);
    wr_u8(&w, number);
    wr_u8(&w, flags & 0x0f);
    /* The first bytes of a whole message are its header, which chance would hardly find. */
    if (number == 1 && data.n >= 2 * COOKIE_SIZE) {
        struct reader rest = rd_init(data);
        rd_skip(&rest, 2 * COOKIE_SIZE);
        wr_bytes(&w, h->icookie, COOKIE_SIZE);
        wr_bytes(&w, h->rcookie, COOKIE_SIZE);
        wr_view(&w, rd_rest(&rest));
    } else {
        wr_view(&w, data);
    }
    const struct path path = rig_path(side);
    (void)ike_input(r->ike[side], r->now, &path, wr_written(&w));
    MUST(r->ike[side]->reassembly_count <= REASSEMBLIES_PER_SOURCE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    struct fragment f;
    struct reader in = rd_init(view_of(data, size));
    const uint8_t how = rd_u8(&in);
    if (!rd_ok(&in))
        return 0;
    if (fragment_parse(view_of(data, size), &f) == DROP_NONE)
        MUST(f.number > 0 && f.number <= FRAGMENTS_MAX && f.data.n < size);
    rig_begin(&r);
    const int side = how >> 1 & 1;
    if (how & 1) {
        rig_connect(&r);
    } else {
        const struct ike_connect c = {.path = rig_path(0), .psk = &r.psk};
        uint32_t peer;
        struct path path;
        uint8_t buffer[IKE_MESSAGE_MAX];
        struct writer w = wr_init(buffer, sizeof(buffer));
        MUST(ike_connect(r.ike[0], r.now, &c, &peer) == ERR_OK);
        MUST(ike_output(r.ike[0], &path, &w));
        path = rig_path(1);
        (void)ike_input(r.ike[1], r.now, &path, wr_written(&w));
    }
    const struct header *h = cookies(&r, side);
    for (int i = 0; h && i < 64 && rd_left(&in) > 0; i++) {
        const struct header copy = *h;
        give(&r, side, &copy, &in);
        r.paused = true;
        rig_pull(&r);
    }
    rig_end(&r);
    return 0;
}
