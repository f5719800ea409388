/* Every address of the portal, from its one list. */
#include "portal/portal_internal.h"

const struct portal_route routes[] = {
#define ROUTE(method, path, who, ask, show) {METHOD_##method, path, WHO_##who, ask, show},
#include "portal/routes.def"
#undef ROUTE
};

const size_t route_count = ARRAY_LEN(routes);
