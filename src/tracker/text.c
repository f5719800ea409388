/* Words and sentences of the tracker's lists. */
#include "tracker/tracker.h"

struct text {
    const char *word, *sentence;
};

static const struct text reasons[TRACKER_REASONS] = {
    [TRACKER_REASON_NONE] = {"none", "not dropped"},
#define REASON(name, word, sentence) [TRACKER_REASON_##name] = {word, sentence},
#include "tracker/reasons.def"
#undef REASON
};

static const struct text counters[TRACKER_COUNTERS] = {
#define COUNTER(name, word, sentence) [TRACKER_COUNT_##name] = {word, sentence},
#include "tracker/counters.def"
#undef COUNTER
};

const char *tracker_reason_word(enum tracker_reason r)
{
    return r < TRACKER_REASONS ? reasons[r].word : "?";
}

const char *tracker_reason_sentence(enum tracker_reason r)
{
    return r < TRACKER_REASONS ? reasons[r].sentence : "?";
}

const char *tracker_counter_word(enum tracker_counter c)
{
    return c < TRACKER_COUNTERS ? counters[c].word : "?";
}

const char *tracker_counter_sentence(enum tracker_counter c)
{
    return c < TRACKER_COUNTERS ? counters[c].sentence : "?";
}
