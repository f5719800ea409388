/* What a browser says it runs on: by the hint that it sends for this (Sec-CH-UA-Platform of UA Client Hints, a string
 * of RFC 8941 3.3.3), else by its User-Agent (RFC 9110 10.1.5). It decides what a page shows first and nothing else. */
#include "portal/portal_internal.h"

/* A sign is there when all its parts are. */
struct sign {
    const char *part[2];
    const char *device; /* its word; "": there is no set-up for it */
};

static const struct sign hints[] = {
    {{"Windows"}, "windows"},    {{"macOS"}, "macos"},          {{"iOS"}, "ios"},         {{"Linux"}, "linux"},
    {{"Chrome OS"}, "chromeos"}, {{"Chromium OS"}, "chromeos"}, {{"Android"}, "android"},
};

/* In this order: an iPhone is "like Mac OS X", and much that is no computer runs on Linux. An iPad calls itself a Mac;
 * its file is the same. */
static const struct sign agents[] = {
    {{"Windows Phone"}, ""},
    {{"Windows NT"}, "windows"},
    {{"iPhone"}, "ios"},
    {{"iPad"}, "ios"},
    {{"Mac OS X"}, "macos"},
    {{"Android"}, "android"},
    {{"X11", "CrOS"}, "chromeos"},
    {{"X11", "Linux"}, "linux"},
    {{"Wayland", "Linux"}, "linux"},
};

/* What stands between the quotes; nothing when it is not such a string. */
static struct view hint_read(struct view hint)
{
    struct reader r = rd_init(hint), ahead;
    size_t n = 0;
    if (rd_u8(&r) != '"' || !rd_ok(&r))
        return VIEW_NONE;
    for (ahead = r; rd_left(&ahead) > 0; n++)
        if (rd_u8(&ahead) == '"')
            return rd_view(&r, n);
    return VIEW_NONE;
}

/* The first comment of the header, where browsers say what they run on; one that is not closed goes to the end. */
static struct view comment_read(struct view agent)
{
    struct reader r = rd_init(agent), ahead;
    unsigned depth = 1;
    size_t n = 0;
    while (rd_left(&r) > 0 && rd_u8(&r) != '(')
        ;
    for (ahead = r; rd_left(&ahead) > 0; n++) {
        const uint8_t c = rd_u8(&ahead);
        depth += c == '(';
        depth -= c == ')';
        if (depth == 0)
            break;
    }
    return rd_view(&r, n);
}

static bool holds(struct view text, struct view part)
{
    struct reader r = rd_init(text);
    for (; rd_left(&r) >= part.n; rd_skip(&r, 1)) {
        struct reader at = r;
        if (view_equal(rd_view(&at, part.n), part))
            return true;
    }
    return false;
}

const char *platform_told(struct view hint, struct view agent)
{
    const struct view said = hint_read(hint), comment = comment_read(agent);
    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (view_equal(said, view_str(hints[i].part[0])))
            return hints[i].device;
    for (size_t i = 0; i < ARRAY_LEN(agents); i++)
        if (holds(comment, view_str(agents[i].part[0])) &&
            (agents[i].part[1] == NULL || holds(comment, view_str(agents[i].part[1]))))
            return agents[i].device;
    return "";
}
