/* Signatures go out as an event and come back by their number, like Diffie-Hellman: they are slow, and neither keys nor
 * trusted authorities are known in here. */
#include "ike/ike_internal.h"

#include <stdlib.h>

void ike_proof_wipe(struct ike_proof *proof)
{
    bytes_wipe(proof, sizeof(*proof));
}

void ike_proof_done(struct ike *ike, usec_t now, struct ike_proof *proof)
{
    ike->now = now;
    ike_proof_wipe(proof);
    free(proof);
}
