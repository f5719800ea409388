/* Timers that know what to do. */
#include "ike/ike_internal.h"

void alarm_set(struct ike *ike, struct alarm *a, usec_t at)
{
    /* The heap can only fail to grow for want of memory; then the object lives until something else ends it. */
    (void)timer_set(&ike->timers, &a->timer, at);
}

void alarm_clear(struct ike *ike, struct alarm *a)
{
    timer_clear(&ike->timers, &a->timer);
}

bool alarm_is_set(const struct alarm *a)
{
    return a->timer.place != 0;
}
