/* Quick mode from a peer that has the keys: the payloads behind the HASH. The first byte tells whether they are a first
 * message to the gateway or the gateway's answer to the client. */
#include "fuzz_rig.h"

static void write_rest(struct draft *d, uint8_t first, struct view rest)
{
    /* The fuzzer brings its own chain: only the type of its first payload is ours to set. */
    wr_patch8(&d->w, d->next_at, first);
    wr_view(&d->w, rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    struct draft d;
    struct reader in = rd_init(view_of(data, size));
    const bool answer = rd_u8(&in) & 1;
    const uint8_t first = rd_u8(&in);
    const struct view rest = rd_rest(&in);
    uint8_t iv[CIPHER_BLOCK_MAX];
    if (!rd_ok(&in) || rest.n > IKE_MESSAGE_MAX / 2)
        return 0;
    rig_begin(&r);
    rig_connect(&r);
    r.paused = true;
    struct sa *client = peer_sa(peer_get(r.ike[0], r.peer[0])), *gateway = peer_sa(peer_get(r.ike[1], r.peer[1]));
    if (answer) {
        MUST(quick_begin(r.ike[0], client, 0) == ERR_OK);
        struct quick *q = container_of(client->quicks.prev, struct quick, of_sa);
        memcpy(iv, q->iv, sizeof(iv));
        draft_phase2(&d, gateway, EXCHANGE_QUICK, q->message_id);
        write_rest(&d, first, rest);
        const struct view nonce = view_of(q->work->nonce_i, q->work->nonce_i_len);
        const struct path path = rig_path(0);
        (void)ike_input(r.ike[0], r.now, &path, draft_phase2_seal(&d, gateway, false, nonce, VIEW_NONE, iv));
    } else {
        MUST(keys_exchange_iv(client, 1, iv) == ERR_OK);
        draft_phase2(&d, client, EXCHANGE_QUICK, 1);
        write_rest(&d, first, rest);
        const struct path path = rig_path(1);
        (void)ike_input(r.ike[1], r.now, &path, draft_phase2_seal(&d, client, false, VIEW_NONE, VIEW_NONE, iv));
    }
    rig_pull(&r);
    rig_end(&r);
    return 0;
}
