/* Datagrams from strangers: up to eight in a row, each with its length in front, to a gateway that knows nobody. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    rig_begin(&r);
    r.paused = true;
    struct reader in = rd_init(view_of(data, size));
    const struct path path = rig_path(1);
    for (int i = 0; i < 8 && rd_left(&in) > 2; i++) {
        const size_t n = rd_u16(&in);
        const struct view datagram = rd_view(&in, n < rd_left(&in) ? n : rd_left(&in));
        (void)ike_input(r.ike[1], r.now, &path, datagram);
        rig_pull(&r);
        MUST(ike_stats(r.ike[1]).children == 0);
        MUST(ike_stats(r.ike[1]).sas <= 4);
    }
    rig_end(&r);
    return 0;
}
