/* Any bytes as the head of a request, whole and as they trickle in: an answer once given is not taken back. */
#include <stdlib.h>

#include "metrics/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t room[1024];
    enum metrics_answer last = METRICS_WAIT;
    for (size_t n = 0; n <= size; n++) {
        const enum metrics_answer answer = metrics_judge(view_of(data, n));
        if (answer == METRICS_WAIT && n >= METRICS_REQUEST_MAX)
            abort();
        if (last != METRICS_WAIT && answer != last && last != METRICS_TOO_LARGE)
            abort();
        last = answer;
        if (answer == METRICS_WAIT)
            continue;
        struct writer w = wr_init(room, sizeof(room));
        metrics_reply(&w, answer, n);
        if (!wr_ok(&w))
            abort();
    }
    return 0;
}
