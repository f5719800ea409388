/* The parts of ctl: request.c and reply.c are the two directions, object.c the things in replies, lines.c the stream.
 */
#ifndef SEKISHO_CTL_INTERNAL_H
#define SEKISHO_CTL_INTERNAL_H

#include "ctl/ctl.h"

/* A JSON string in which every byte that is no UTF-8 is '?'. */
json_t *ctl_json_text(const char *text);

/* Fills the error and returns result. */
enum err ctl_fail(struct ctl_error *e, enum err result, const char *code, const char *word, const char *text, ...)
    __attribute__((format(printf, 5, 6)));

#define TELL(name, word, text) TELL_DEFINE(name, word, text)
#include "ctl/told.def"
#undef TELL

/* Reads one JSON object of at most depth nested brackets; NULL with the error. */
json_t *ctl_json_parse(struct view line, unsigned depth, struct ctl_error *e);
/* The object as a line with its newline; NULL: out of memory. json is taken. */
char *ctl_json_line(json_t *json);
/* Overwrites every text in it. */
void ctl_json_wipe(json_t *json);

#endif
