/* A story as a person reads it: who, step by step, then how it ended, why, and what would help. */
#include "stack/stack_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 512

__attribute__((format(printf, 2, 3))) static void line(struct writer *w, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n > 0)
        wr_bytes(w, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
    wr_u8(w, '\n');
}

static void write_head(const struct story *story, struct writer *w)
{
    char from[ENDPOINT_TEXT_MAX];
    line(w, "From %s%s%s%s%s", endpoint_text(&story->path.remote, from), story->kind[0] ? ", " : "", story->kind,
         story->user[0] ? ", user " : "", story->user);
    if (story->identity[0])
        line(w, "  identity %s, key \"%s\"%s%s", story->identity, story->psk,
             story->nat_remote ? ", client behind NAT" : "", story->nat_local ? ", gateway behind NAT" : "");
}

void story_text(const struct story *story, struct writer *w)
{
    write_head(story, w);
    for (uint8_t i = 0; i < story->n; i++) {
        const struct story_step *step = &story->step[i];
        line(w, "  +%u.%03u s  %s%s%s%s", step->after_ms / 1000, step->after_ms % 1000, stage_sentence(step->stage),
             step->detail[0] ? " (" : "", step->detail, step->detail[0] ? ")" : "");
    }
    if (!story->ended) {
        line(w, story->established ? "Connected." : "Under way: %s.", stage_sentence(story->stage));
        return;
    }
    line(w, "%s at: %s.", story->established ? "Ended" : "Failed", stage_sentence(story->stage));
    line(w, story->cause_detail[0] ? "Why: %s (%s)" : "Why: %s", cause_sentence(story->cause), story->cause_detail);
    line(w, "Cure: %s", cause_cure(story->cause));
}
