/*
 * When our proof on port 4500 is not answered, the key may be wrong or the port blocked, and the peer tells us neither.
 * So a fresh first message goes there, under a cookie of its own: whatever comes back shows that the port is open. The
 * probe is an IKE SA that never gets beyond its first message, belongs to no peer and is not told of.
 */
#include "ike/ike_internal.h"

#include <string.h>

void probe_begin(struct ike *ike, struct sa *sa)
{
    struct header cookies = {0};
    if (sa->probe || sa->port_open || !sa->floated || sa->state != SA_MM6_WAIT)
        return;
    cookie_make(ike, cookies.icookie);
    struct sa *probe = sa_new(ike, true, &sa->path, &cookies, 0);
    if (!probe)
        return;
    probe->state = SA_MM2_WAIT;
    probe->probe_of = sa;
    sa->probe = probe;
    memcpy(probe->phase1->sa_body, sa->phase1->sa_body, sa->phase1->sa_len);
    probe->phase1->sa_len = sa->phase1->sa_len;
    first_message_send(ike, probe);
}

enum drop probe_answered(struct ike *ike, struct sa *probe)
{
    probe->probe_of->port_open = true;
    sa_free(ike, probe);
    return DROP_NONE;
}

void probe_forget(struct ike *ike, struct sa *sa)
{
    if (sa->probe_of)
        sa->probe_of->probe = NULL;
    if (sa->probe)
        sa_free(ike, sa->probe);
    sa->probe = NULL;
}
