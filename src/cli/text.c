/* Small texts for people: sizes, times, and what may safely reach a terminal. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/* One character of UTF-8: its code point and bytes. What is none is U+FFFD of one byte. */
static uint32_t decode(const char *text, size_t *n)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t want = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    uint32_t value = want == 1 ? p[0] : p[0] & (0x7fu >> want);
    *n = 1;
    for (size_t i = 1; i < want; i++) {
        if (p[i] >> 6 != 2)
            return 0xfffd;
        value = value << 6 | (p[i] & 0x3fu);
    }
    *n = want != 0 ? want : 1;
    return want != 0 ? value : 0xfffd;
}

/* Controls of ASCII and of Latin-1, and those that turn the direction of writing. */
static bool steers(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xfffd;
}

void print_safe(FILE *out, const char *text)
{
    size_t n;
    for (; *text != '\0'; text += n) {
        if (steers(decode(text, &n)))
            fputc('?', out);
        else
            fwrite(text, 1, n, out);
    }
}

size_t text_width(const char *text)
{
    size_t width = 0, n;
    for (; *text != '\0'; text += n) {
        uint32_t c = decode(text, &n);
        int columns = steers(c) ? 1 : wcwidth((wchar_t)c);
        width += columns >= 0 ? (size_t)columns : 1;
    }
    return width;
}

const char *text_packets(uint64_t n, char out[static TEXT_MAX])
{
    snprintf(out, TEXT_MAX, n == 1 ? "%llu packet" : "%llu packets", (unsigned long long)n);
    return out;
}

const char *text_bytes(uint64_t n, char out[static TEXT_MAX])
{
    static const char units[] = "kMGTPE";
    size_t unit = 0;
    double value = (double)n;
    if (n < 1000) {
        snprintf(out, TEXT_MAX, "%u B", (unsigned)n);
        return out;
    }
    for (value /= 1000; value >= 999.5; unit++)
        value /= 1000;
    snprintf(out, TEXT_MAX, value < 9.95 ? "%.1f %cB" : "%.0f %cB", value, units[unit]);
    return out;
}

const char *text_duration(uint64_t seconds, char out[static TEXT_MAX])
{
    unsigned long long s = seconds;
    if (s < 60)
        snprintf(out, TEXT_MAX, "%llus", s);
    else if (s < 3600)
        snprintf(out, TEXT_MAX, "%llum", s / 60);
    else if (s < 86400)
        snprintf(out, TEXT_MAX, "%lluh %llum", s / 3600, s / 60 % 60);
    else
        snprintf(out, TEXT_MAX, "%llud %lluh", s / 86400, s / 3600 % 24);
    return out;
}

const char *text_time(uint64_t wall, char out[static TEXT_MAX])
{
    time_t t = (time_t)wall;
    struct tm tm;
    if (wall == 0)
        snprintf(out, TEXT_MAX, "never");
    else if (localtime_r(&t, &tm) == NULL || strftime(out, TEXT_MAX, "%Y-%m-%d %H:%M", &tm) == 0)
        snprintf(out, TEXT_MAX, "?");
    return out;
}

bool number_parse(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || n > max)
        return false;
    *out = n;
    return true;
}

/* "30d" from now. */
static bool relative(const char *text, int64_t now, uint64_t *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    unsigned long n = strtoul(text, &end, 10);
    uint64_t unit = strcmp(end, "d") == 0 ? 86400 : strcmp(end, "h") == 0 ? 3600 : 0;
    if (unit == 0 || n == 0 || n > 1000000)
        return false;
    *out = (uint64_t)now + n * unit;
    return true;
}

bool date_parse(const char *text, int64_t now, uint64_t *out)
{
    struct tm tm = {.tm_isdst = -1}, asked;
    int year, month, day, hour = 0, minute = 0, used = 0;
    if (strcmp(text, "never") == 0) {
        *out = 0;
        return true;
    }
    if (relative(text, now, out))
        return true;
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || used == 0)
        return false;
    text += used;
    used = 0;
    if (*text != '\0' && (sscanf(text, " %2d:%2d%n", &hour, &minute, &used) != 2 || text[used] != '\0'))
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    asked = tm;
    time_t t = mktime(&tm);
    /* mktime() makes the 31st of April the 1st of May; we do not */
    if (t <= 0 || tm.tm_mon != asked.tm_mon || tm.tm_mday != asked.tm_mday || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59)
        return false;
    *out = (uint64_t)t;
    return true;
}
