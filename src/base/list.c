/* A doubly linked ring over embedded links. */
#include "base/base.h"

void list_init(struct link *head)
{
    head->prev = head->next = head;
}

void list_append(struct link *head, struct link *l)
{
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

void list_prepend(struct link *head, struct link *l)
{
    list_append(head->next, l);
}

void list_remove(struct link *l)
{
    if (!l->next)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
}
