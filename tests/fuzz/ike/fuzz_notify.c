/* Notification and Delete payloads, from a peer that has the keys: the informational exchange behind its HASH. The
 * first byte chooses the payload. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    struct draft d;
    struct reader in = rd_init(view_of(data, size));
    rig_begin(&r);
    rig_connect(&r);
    r.paused = true;
    struct sa *sa = peer_sa(peer_get(r.ike[0], r.peer[0]));
    /* Up to four payloads, each with its length in front. */
    info_begin(r.ike[0], sa, &d);
    for (int i = 0; i < 4 && rd_left(&in) > 2; i++) {
        const uint8_t type = rd_u8(&in);
        const size_t n = rd_u8(&in);
        const struct view body = rd_view(&in, n < rd_left(&in) ? n : rd_left(&in));
        draft_put(&d, type & 1 ? PAYLOAD_DELETE : PAYLOAD_NOTIFY, body);
    }
    uint8_t iv[CIPHER_BLOCK_MAX];
    MUST(keys_exchange_iv(sa, d.message_id, iv) == ERR_OK);
    const struct view message = draft_phase2_seal(&d, sa, false, VIEW_NONE, VIEW_NONE, iv);
    const struct path path = rig_path(1);
    (void)ike_input(r.ike[1], r.now, &path, message);
    rig_pull(&r);
    rig_end(&r);
    return 0;
}
