/* What EAP-GTC asks is found out by the service thread, which has the grids, and put by the shard that has the session.
 */
#include "gateway/gateway_internal.h"

#include <stdlib.h>
#include <string.h>

struct question {
    struct letter letter;
    struct shard *shard;
    uint32_t session;
    uint64_t session_key;
    struct ip_addr peer;
    char user[PPP_NAME_MAX];
    char text[GRID_PROMPT_MAX];
    size_t n;
};

static void question_free(void *question)
{
    bytes_wipe(question, sizeof(struct question));
    free(question);
}

/* Back on the shard. A session that is gone has no use for it. */
static void run_asked(void *receiver, void *letter)
{
    struct shard *shard = receiver;
    const struct question *question = letter;
    const usec_t now = clock_now();
    shard->logins--;
    (void)stack_ask(shard->stack, now, question->session, question->session_key, view_of(question->text, question->n));
    pump_flush(shard->pump, now);
    question_free(letter);
}

/* On the service thread. */
static void run_question(void *receiver, void *letter)
{
    struct gateway *gateway = receiver;
    struct question *question = letter;
    const struct aaa_visit visit = {
        .user = question->user,
        .source = question->peer,
        .session = lease_key(question->shard, question->session_key),
        .wall = clock_wall(),
        .now = clock_now(),
    };
    question->n = aaa_prompt(gateway->aaa, &visit, question->text);
    question->letter.run = run_asked;
    mailbox_post(&question->shard->mailbox, &question->letter);
}

void post_question(struct shard *shard, const struct stack_event *event)
{
    struct question *question = shard->logins < LOGINS_MAX ? calloc(1, sizeof(*question)) : NULL;
    if (!question)
        return; /* without an answer the link ends by itself */
    shard->logins++;
    question->letter = (struct letter){.run = run_question, .discard = question_free};
    question->shard = shard;
    question->session = event->session;
    question->session_key = event->session_key;
    question->peer = event->path.remote.addr;
    memcpy(question->user, event->user, sizeof(question->user));
    mailbox_post(&shard->gateway->mailbox, &question->letter);
}
