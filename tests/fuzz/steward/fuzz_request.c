/* What a client that has been taken over may say to the steward: the input is one message on their socket. A plan that
 * passes the judge must fit into rules, and say nothing there but addresses. */
#include "steward/steward_internal.h"

#include <stdlib.h>

static void make_rules(const struct steward_plan *plan)
{
    static struct steward_host host = {.place.name = "fuzz", .record = {.iface = "tun0", .number = 1}};
    static char text[STEWARD_TABLE_TEXT];
    host.former_dns[0] = plan->dns[0];
    host.former_dns_count = plan->dns_count > 0;
    if (steward_guard_text(&host, plan, true, text, sizeof(text)) != ERR_OK ||
        text[strspn(text, "abcdefghijklmnopqrstuvwxyzRD0123456789_-.:,;!={}\" \n")] != '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steward_request request, again;
    struct steward_reply reply;
    char why[STEWARD_WHY];
    uint8_t bytes[STEWARD_REQUEST_SIZE];
    (void)steward_reply_read(view_of(data, size), &reply);
    if (steward_request_read(view_of(data, size), &request) != ERR_OK)
        return 0;
    if (steward_request_write(&request, bytes) != ERR_OK || steward_request_read(VIEW(bytes), &again) != ERR_OK)
        abort();
    if (steward_plan_judge(&request.plan, why) == ERR_OK)
        make_rules(&request.plan);
    (void)steward_plan_trim(&request.plan);
    if (request.plan.address.family && steward_plan_judge(&request.plan, why) != ERR_OK &&
        (strstr(why, "route") || strstr(why, "name server") || strstr(why, "domain")))
        abort(); /* trimmed, the lists are good */
    return 0;
}
