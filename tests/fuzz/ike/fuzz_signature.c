/* Main mode with signatures where its keys are known: the body of MM5 to the gateway or of MM6 to the client, encrypted
 * as it should be. The first byte tells which, and whether the judge accepts it; then comes the type of the first
 * payload. Only whom the judge accepted may come up. */
#include "fuzz_rig.h"

static struct sa *the_sa(struct rig *r, int side)
{
    struct ike *ike = r->ike[side];
    if (side == 0)
        return container_of(peer_get(ike, 1)->sas.next, struct sa, of_peer);
    return container_of(ike->young.next, struct sa, young);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    static uint8_t room[IKE_MESSAGE_MAX];
    struct reader in = rd_init(view_of(data, size));
    const uint8_t how = rd_u8(&in), next = rd_u8(&in);
    const struct view body = rd_rest(&in);
    const int side = how & 1;
    if (!rd_ok(&in) || body.n == 0 || body.n > IKE_MESSAGE_MAX - IKE_HEADER_SIZE - CIPHER_BLOCK_MAX)
        return 0;
    rig_begin(&r);
    const struct ike_connect c = {.path = rig_path(0), .credential = &rig_credential};
    uint32_t peer;
    MUST(ike_connect(r.ike[0], r.now, &c, &peer) == ERR_OK);
    rig_deliver(&r, 0, 4);
    r.paused = true;
    rig_pull(&r);
    r.judge = how & 2 ? CAUSE_NONE : CAUSE_CERT_EXPIRED;
    struct sa *sa = the_sa(&r, side);
    MUST(sa->state == (side ? SA_MM5_WAIT : SA_MM6_WAIT));
    uint8_t iv[CIPHER_BLOCK_MAX];
    struct draft d;
    memcpy(iv, sa->iv, sizeof(iv));
    draft_begin_in(&d, wr_init(room, sizeof(room)), &sa->cookies, EXCHANGE_MAIN, 0);
    wr_view(&d.w, body);
    wr_patch8(&d.w, 16, next);
    const struct view message = crypt_seal(&d, &sa->keys, iv);
    const struct path path = rig_path(side);
    const enum drop verdict = ike_input(r.ike[side], r.now, &path, message);
    MUST(verdict != DROP_IKE_STATE);
    rig_pull(&r);
    MUST(r.judged == (verdict == DROP_NONE));
    MUST(!r.peer[side] || (r.judged && r.judge == CAUSE_NONE));
    rig_end(&r);
    return 0;
}
