/* Every address of the portal, from its one list. */
#include "portal/portal_internal.h"

const struct portal_route routes[] = {
#define ROUTE(method, path, who, ask, show) {METHOD_##method, path, WHO_##who, ask, show},
#include "portal/routes.def"
#undef ROUTE
};

const size_t route_count = ARRAY_LEN(routes);

const struct portal_route *route_find(enum method method, struct view path, bool *known)
{
    for (size_t i = 0; i < route_count; i++) {
        if (!view_equal(path, view_str(routes[i].path)))
            continue;
        *known = true;
        if (routes[i].method == method)
            return &routes[i];
    }
    return NULL;
}
