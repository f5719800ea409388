/* The text format 0.0.4 of Prometheus: lines of HELP, TYPE and samples. */
#include "metrics/metrics.h"

#include <stdio.h>
#include <string.h>

static void put(struct writer *w, const char *text)
{
    wr_view(w, view_str(text));
}

/* In both kinds of text a backslash and a new line are escaped, in labels a quote too. */
static void put_escaped(struct writer *w, const char *text, bool label)
{
    for (; *text != '\0'; text++) {
        const uint8_t c = (uint8_t)*text;
        if (c == '\n')
            put(w, "\\n");
        else if (c == '\\' || (c == '"' && label))
            wr_bytes(w, (const char[]){'\\', (char)c}, 2);
        else
            wr_u8(w, c >= ' ' && c < 0x7f ? c : '?');
    }
}

void metrics_family(struct writer *w, const char *name, enum metrics_kind kind, const char *help)
{
    put(w, "# HELP ");
    put(w, name);
    put(w, " ");
    put_escaped(w, help, false);
    put(w, "\n# TYPE ");
    put(w, name);
    put(w, kind == METRICS_COUNTER ? " counter\n" : " gauge\n");
}

void metrics_sample(struct writer *w, const char *name, const struct metrics_label *labels, size_t n, uint64_t value)
{
    char number[32];
    put(w, name);
    for (size_t i = 0; i < n; i++) {
        put(w, i == 0 ? "{" : ",");
        put(w, labels[i].name);
        put(w, "=\"");
        put_escaped(w, labels[i].value, true);
        put(w, "\"");
    }
    snprintf(number, sizeof number, "%s %llu\n", n > 0 ? "}" : "", (unsigned long long)value);
    put(w, number);
}

void metrics_one(struct writer *w, const char *name, enum metrics_kind kind, const char *help, uint64_t value)
{
    metrics_family(w, name, kind, help);
    metrics_sample(w, name, NULL, 0, value);
}
