/* Words and sentences of the router's drops. */
#include "router/router_internal.h"

static const struct {
    const char *word, *sentence;
} drops[ROUTER_DROPS] = {
#define DROP(name, word, sentence) [ROUTER_DROP_##name] = {word, sentence},
#include "router/drops.def"
#undef DROP
};

const char *router_drop_word(enum router_drop d)
{
    return d < ROUTER_DROPS ? drops[d].word : "?";
}

const char *router_drop_sentence(enum router_drop d)
{
    return d < ROUTER_DROPS ? drops[d].sentence : "?";
}
