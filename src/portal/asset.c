/* The files that pages refer to, compiled in. */
#include "portal/portal_internal.h"

static const uint8_t style[] = {
#include "portal/portal.css.inc"
};
static const uint8_t script[] = {
#include "portal/portal.js.inc"
};
static const uint8_t icon[] = {
#include "portal/icon.svg.inc"
};

const struct asset *asset_find(struct view path)
{
    static const struct asset assets[] = {
        {"/assets/portal.css", "text/css; charset=utf-8", {style, sizeof style}},
        {"/assets/portal.js", "text/javascript; charset=utf-8", {script, sizeof script}},
        {"/assets/icon.svg", "image/svg+xml", {icon, sizeof icon}},
    };
    for (size_t i = 0; i < ARRAY_LEN(assets); i++)
        if (view_equal(path, view_str(assets[i].path)))
            return &assets[i];
    return NULL;
}
