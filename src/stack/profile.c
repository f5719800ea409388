/* PPP configurations that links point to: one is kept as long as a link was made with it. */
#include "stack/stack_internal.h"

#include <stdlib.h>

struct ppp_profile *stack_profile_new(const struct ppp_config *config)
{
    struct ppp_profile *profile = malloc(sizeof(*profile));
    if (!profile)
        return NULL;
    *profile = (struct ppp_profile){.config = *config, .users = 1};
    profile->config.tls = ppp_tls_share(config->tls);
    return profile;
}

void stack_profile_drop(struct ppp_profile *profile)
{
    if (!profile || --profile->users > 0)
        return;
    ppp_tls_free(profile->config.tls);
    bytes_wipe(profile, sizeof(*profile)); /* a client's password is in it */
    free(profile);
}
