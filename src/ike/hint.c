/*
 * What a peer says in clear about a main mode that we began: anyone who sees our cookies can say it too. So a complaint
 * ends nothing by itself. It gives the true answer a little longer to come, and names the cause if it does not.
 */
#include "ike/ike_internal.h"

static bool is_about_proposals(uint16_t type)
{
    return type == NOTIFY_NO_PROPOSAL_CHOSEN || type == NOTIFY_INVALID_TRANSFORM ||
           type == NOTIFY_ATTRIBUTES_NOT_SUPPORTED || type == NOTIFY_BAD_PROPOSAL_SYNTAX;
}

static enum cause cause_of(const struct sa *sa, uint16_t type)
{
    if (type == NOTIFY_INVALID_EXCHANGE_TYPE)
        return CAUSE_IKE_EXCHANGE;
    if (type == NOTIFY_INVALID_ID_INFORMATION)
        return CAUSE_IKE_IDENTITY;
    if (sa->state == SA_MM6_WAIT)
        return sa->suite.auth == IKE_AUTH_PSK ? CAUSE_IKE_WRONG_PSK : CAUSE_CERT_REFUSED;
    if (is_about_proposals(type))
        return CAUSE_IKE_NO_PROPOSAL;
    /* In answer to a first message that names us. */
    return sa->state == SA_AM2_WAIT && type == NOTIFY_AUTHENTICATION_FAILED ? CAUSE_IKE_IDENTITY : CAUSE_IKE_PROTOCOL;
}

enum drop hint_notify(struct ike *ike, struct sa *sa, uint16_t type)
{
    return hint_take(ike, sa, cause_of(sa, type));
}

enum drop hint_take(struct ike *ike, struct sa *sa, enum cause cause)
{
    if (sa->state != SA_MM2_WAIT && sa->state != SA_MM4_WAIT && sa->state != SA_MM6_WAIT && sa->state != SA_AM2_WAIT)
        return DROP_IKE_STATE;
    sa->cause = cause;
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
