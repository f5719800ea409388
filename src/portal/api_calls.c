/* The calls of the JSON interface, from their one list. */
#include "portal/api.h"

#include <microhttpd.h>

const struct api_call api_calls[] = {
#define CALL(id, method, path, scope, verb, arg, shape, member, object)                                                \
    {id, API_##method, path, SCOPE_##scope, CTL_VERB_##verb, CTL_ARG_##arg, SHAPE_##shape, member, object},
#include "portal/api.def"
#undef CALL
};

const size_t api_call_count = ARRAY_LEN(api_calls);

const char *api_method_word(enum api_method m)
{
    static const char *const words[API_METHODS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    return words[m];
}

bool api_takes_body(const struct api_call *call)
{
    if (call->method == API_GET || call->method == API_DELETE)
        return false;
    for (enum ctl_arg arg = 0; arg < CTL_ARG_COUNT; arg++)
        if (arg != call->arg && ctl_verb_takes(call->verb, arg) != CTL_TAKES_NOT)
            return true;
    return false;
}

unsigned api_status(const struct api_call *call)
{
    if (call->shape == SHAPE_NOTHING)
        return MHD_HTTP_NO_CONTENT;
    const bool made = call->verb == CTL_VERB_USER_ADD || call->verb == CTL_VERB_GROUP_ADD || call->shape == SHAPE_MADE;
    return made ? MHD_HTTP_CREATED : MHD_HTTP_OK;
}
