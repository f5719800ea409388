/* Ranges of addresses as prefixes, and the name servers of a resolv.conf. */
#include "config/config_internal.h"

#include <string.h>

size_t config_range_prefixes(const struct config_range *range, struct ip_prefix out[static CONFIG_PREFIXES_MAX])
{
    size_t n = 0;
    uint64_t first = range->first, end = (uint64_t)range->last + 1;
    while (first < end) {
        uint8_t bits = 32;
        uint64_t size = 1;
        while (bits > 0 && (first & size) == 0 && first + 2 * size <= end) {
            size *= 2;
            bits--;
        }
        out[n++] = (struct ip_prefix){ip4_addr((uint32_t)first), bits};
        first += size;
    }
    return n;
}

/* What is of no use on another host: loopback, such as the stub of systemd-resolved, and link-local. */
static bool for_others(const struct ip_addr *a)
{
    uint32_t v = ip4_value(a);
    return a->family == 4 && v >> 24 != 127 && v >> 24 != 0 && v >> 16 != 0xa9fe;
}

#define BLANKS " \t\r"

static bool name_server(const char *line, struct ip_addr *out)
{
    static const char word[] = "nameserver";
    char text[IP_TEXT_MAX];
    line += strspn(line, BLANKS);
    if (strncmp(line, word, sizeof word - 1) != 0)
        return false;
    line += sizeof word - 1;
    size_t gap = strspn(line, BLANKS), n = strcspn(line + gap, BLANKS);
    if (gap == 0 || n == 0 || n >= sizeof text)
        return false;
    memcpy(text, line + gap, n);
    text[n] = '\0';
    return ip_parse(text, out) == ERR_OK;
}

uint32_t config_resolv_parse(struct view text, struct ip_addr out[static CONFIG_SERVERS_MAX])
{
    struct reader r = rd_init(text);
    uint32_t count = 0;
    while (rd_left(&r) && count < CONFIG_SERVERS_MAX) {
        char line[128];
        size_t n = 0;
        struct ip_addr one;
        for (uint8_t c; rd_left(&r) && (c = rd_u8(&r)) != '\n';)
            if (n < sizeof line - 1)
                line[n++] = (char)c;
        line[n] = '\0';
        if (name_server(line, &one) && for_others(&one))
            out[count++] = one;
    }
    return count;
}
