/* Signatures go out as an event and come back by their number, like Diffie-Hellman: they are slow, and neither keys nor
 * trusted authorities are known in here. */
#include "ike/ike_internal.h"

#include <stdlib.h>

void ike_proof_wipe(struct ike_proof *proof)
{
    bytes_wipe(proof, sizeof(*proof));
}

struct ike_proof *proof_new(void)
{
    return calloc(1, sizeof(struct ike_proof));
}

void proof_drop(struct ike_proof *proof)
{
    if (!proof)
        return;
    ike_proof_wipe(proof);
    free(proof);
}

enum err proof_ask(struct ike *ike, struct sa *sa, struct ike_proof *proof)
{
    struct pending *p = &sa->phase1->proof;
    struct ike_event *e = sa_event(ike, sa, IKE_EVENT_PROOF);
    if (!e) {
        proof_drop(proof);
        return ERR_NOMEM;
    }
    proof_forget(ike, p);
    proof->id = ++ike->works;
    proof->cause = CAUSE_IKE_PROTOCOL; /* unless answered */
    e->proof = proof;
    index_add(&ike->by_proof, &p->node, proof->id);
    ike->proofs_out++;
    return ERR_OK;
}

void proof_forget(struct ike *ike, struct pending *p)
{
    if (!p->node.linked)
        return;
    index_remove(&ike->by_proof, &p->node);
    ike->proofs_out--;
}

bool proof_allowed(const struct ike *ike)
{
    return ike->proofs_out < PROOFS_OUT_MAX;
}

void ike_proof_done(struct ike *ike, usec_t now, struct ike_proof *proof)
{
    ike->now = now;
    struct index_node *n = index_find(&ike->by_proof, proof->id, NULL);
    if (n) {
        struct pending *p = container_of(n, struct pending, node);
        proof_forget(ike, p);
        signature_proved(ike, p->sa, proof);
    }
    proof_drop(proof);
}
