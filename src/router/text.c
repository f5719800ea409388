/* Words and sentences of the router's drops, and of what it restores. */
#include "router/router_internal.h"

static const struct {
    const char *word, *sentence;
} drops[ROUTER_DROPS] = {
#define DROP(name, word, sentence) [ROUTER_DROP_##name] = {word, sentence},
#include "router/drops.def"
#undef DROP
};

static const struct {
    const char *word, *sentence;
} restores[ROUTER_RESTORES] = {
#define RESTORE(name, word, sentence) [ROUTER_RESTORE_##name] = {word, sentence},
#include "router/restores.def"
#undef RESTORE
};

const char *router_drop_word(enum router_drop d)
{
    return d < ROUTER_DROPS ? drops[d].word : "?";
}

const char *router_drop_sentence(enum router_drop d)
{
    return d < ROUTER_DROPS ? drops[d].sentence : "?";
}

const char *router_restore_word(enum router_restore r)
{
    return r < ROUTER_RESTORES ? restores[r].word : "?";
}

const char *router_restore_sentence(enum router_restore r)
{
    return r < ROUTER_RESTORES ? restores[r].sentence : "?";
}
