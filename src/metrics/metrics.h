/*
 * Numbers for Prometheus: its text format 0.0.4 written, and the head of the HTTP request that asks for it judged. What
 * the numbers are, and the socket, are the gateway's.
 *
 * Pure: bytes in, bytes out.
 */
#ifndef SEKISHO_METRICS_H
#define SEKISHO_METRICS_H

#include "wire/wire.h"

#define METRICS_TYPE        "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_REQUEST_MAX 8192 /* bytes of a request's head */

/* ---- the text ---- */

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE };

struct metrics_label {
    const char *name; /* letters, digits and _; not with a digit in front */
    const char *value;
};

/* Begins what has this name: its # HELP and # TYPE. All samples of it follow, before the next begins. */
void metrics_family(struct writer *w, const char *name, enum metrics_kind kind, const char *help);
/* A sample of the family of that name; two of a family differ in their labels. Values of labels may be any text: it is
 * escaped, and what is not printable ASCII becomes '?'. */
void metrics_sample(struct writer *w, const char *name, const struct metrics_label *labels, size_t n, uint64_t value);
/* A family of one sample without labels. */
void metrics_one(struct writer *w, const char *name, enum metrics_kind kind, const char *help, uint64_t value);

/* ---- the question ---- */

/* What is to be answered to the bytes that have come. */
enum metrics_answer {
    METRICS_WAIT,      /* the head is not whole yet */
    METRICS_GIVE,      /* 200 */
    METRICS_GIVE_HEAD, /* 200, without the text */
    METRICS_BAD,       /* 400: no HTTP/1.x */
    METRICS_NOWHERE,   /* 404: another path than /metrics */
    METRICS_NOT_SO,    /* 405: neither GET nor HEAD */
    METRICS_TOO_LARGE, /* 431: no end of the head within METRICS_REQUEST_MAX bytes */
};
enum metrics_answer metrics_judge(struct view received);

/* The head of the reply to any of them but METRICS_WAIT, with its empty line; length: of the text that follows, which
 * for an error is the reason's line, written too. The connection is closed after it. */
void metrics_reply(struct writer *w, enum metrics_answer answer, size_t length);

#endif
