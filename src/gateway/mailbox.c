/* Letters between threads. Nothing on the packet path goes through here. */
#include "gateway/gateway_internal.h"

#include <stdlib.h>

void mailbox_init(struct mailbox *box, struct loop *loop)
{
    pthread_mutex_init(&box->lock, NULL);
    box->first = NULL;
    box->last = &box->first;
    box->loop = loop;
}

static struct letter *take_all(struct mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    struct letter *letters = box->first;
    box->first = NULL;
    box->last = &box->first;
    pthread_mutex_unlock(&box->lock);
    return letters;
}

void mailbox_done(struct mailbox *box)
{
    for (struct letter *letter = take_all(box), *next; letter; letter = next) {
        next = letter->next;
        if (letter->discard)
            letter->discard(letter);
        else
            free(letter);
    }
    pthread_mutex_destroy(&box->lock);
}

void mailbox_post(struct mailbox *box, struct letter *letter)
{
    letter->next = NULL;
    pthread_mutex_lock(&box->lock);
    *box->last = letter;
    box->last = &letter->next;
    pthread_mutex_unlock(&box->lock);
    loop_wake(box->loop);
}

void mailbox_read(struct mailbox *box, void *receiver)
{
    for (struct letter *letter = take_all(box), *next; letter; letter = next) {
        next = letter->next;
        letter->run(receiver, letter);
    }
}
