/*
 * What a peer says in clear about a main mode that we began: anyone who sees our cookies can say it too. So a complaint
 * ends nothing by itself. It gives the true answer a little longer to come, and names the cause if it does not.
 */
#include "ike/ike_internal.h"

static enum cause cause_of(const struct sa *sa, uint16_t type)
{
    if (type == NOTIFY_INVALID_EXCHANGE_TYPE)
        return CAUSE_IKE_EXCHANGE;
    if (type == NOTIFY_INVALID_ID_INFORMATION)
        return CAUSE_IKE_IDENTITY;
    if (sa->state == SA_MM6_WAIT)
        return sa->suite.auth == IKE_AUTH_PSK ? CAUSE_IKE_WRONG_PSK : CAUSE_CERT_REFUSED;
    switch (type) {
    case NOTIFY_NO_PROPOSAL_CHOSEN:
    case NOTIFY_INVALID_TRANSFORM:
    case NOTIFY_ATTRIBUTES_NOT_SUPPORTED:
    case NOTIFY_BAD_PROPOSAL_SYNTAX:
        return CAUSE_IKE_NO_PROPOSAL;
    default:
        return CAUSE_IKE_PROTOCOL;
    }
}

enum drop hint_take(struct ike *ike, struct sa *sa, uint16_t type)
{
    if (sa->state != SA_MM2_WAIT && sa->state != SA_MM4_WAIT && sa->state != SA_MM6_WAIT)
        return DROP_IKE_STATE;
    sa->cause = cause_of(sa, type);
    if (sa->hinted)
        return DROP_NONE;
    sa->hinted = true;
    alarm_set(ike, &sa->expiry, ike->now + HINT_GRACE);
    return DROP_NONE;
}

void hint_forget(struct ike *ike, struct sa *sa)
{
    sa->cause = CAUSE_NONE;
    sa->hinted = false;
    alarm_clear(ike, &sa->expiry);
}
