/*
 * The kernel's table, as text for nft. The order in which a packet meets it:
 *
 * - prerouting -300, where fragments have been put together (connection tracking does it at -400). From outside, bound
 * ESP gets its inside host as destination at once; what is not bound goes to user space, but for answers to the
 * router's own IPsec. From inside, ESP and IKE stay out of connection tracking, and spoofed packets go: of ESP only
 * those that would be learnt from, for a bound one has its source in its binding.
 *
 * - forward 10. From inside, bound ESP gets the outside address as source; what is not bound goes to user space. The
 * kernel has by now judged route, time to live and size, and other tables have had their say.
 *
 * - output -300. What user space sends is recognized by its mark and kept out of connection tracking.
 *
 * - postrouting. NAPT for the rest.
 *
 * A packet of NAPT that is under way costs connection tracking a look-up and no rule at all; bound ESP skips that
 * look-up and has few rules for it, the first of each chain. Most of it takes the shortcut: another table, in the hook
 * `ingress` of the devices, forwards what these rules have let pass lately, before any of this (shortcut.c).
 */
#include "router/router_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define HOST_PACE   4000 /* packets a second of one host that are learnt from */
#define SERVER_PACE 8000
#define ERROR_PACE  200

struct text {
    char *out;
    size_t n;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->out + t->n, RULESET_MAX - t->n, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= RULESET_MAX - t->n)
        t->failed = true;
    else
        t->n += (size_t)n;
}

static void put_list(struct text *t, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(t, "%s\"%s\"", i > 0 ? ", " : "{ ", names[i]);
    put(t, " }");
}

static void put_names(struct text *t, const struct router_options *o)
{
    put(t, "define outside = \"%s\"\ndefine inside = ", o->outside);
    put_list(t, o->inside, o->inside_count);
    put(t, "\n");
}

static void put_counters(struct text *t)
{
    for (int i = 0; i <= ROUTER_DROP_STRANGER; i++)
        put(t, "    counter %s { }\n", router_drop_word((enum router_drop)i));
}

/* ICMP errors whose quotation, which begins 8 bytes into them, is ESP, or UDP between two ports 500. Options in the
 * quoted header are passed over: no IPsec sends them. */
#define ERRORS    "icmp type { destination-unreachable, time-exceeded, parameter-problem } "
#define ABOUT_ESP ERRORS "@th,136,8 50 "
#define ABOUT_IKE ERRORS "@th,136,8 17 @th,224,32 0x01f401f4 "
#define IKE       "udp sport 500 udp dport 500 "

static void put_sets(struct text *t, uint32_t address)
{
    const struct ip_addr a = ip4_addr(address);
    char text[IP_TEXT_MAX];
    put(t, "    set outside { type ipv4_addr; size 4;");
    if (address)
        put(t, " elements = { %s };", ip_text(&a, text));
    put(t, " }\n"
           "    set servers { type ipv4_addr; }\n"
           "    set own { type ipv4_addr; size 256; flags dynamic,timeout; timeout 10m; }\n"
           "    map inbound { typeof ip saddr . esp spi : ip daddr; size 65535; flags dynamic; }\n"
           "    set arrivals { typeof ip saddr . esp spi; size 65535; flags dynamic; counter; }\n"
           "    map outbound { typeof ip saddr . ip daddr . esp spi : ip saddr; size 65535; flags dynamic; counter; }\n"
           "    set host-pace { type ipv4_addr; size 4096; flags dynamic,timeout; timeout 10s; }\n"
           "    set server-pace { type ipv4_addr; size 4096; flags dynamic,timeout; timeout 10s; }\n");
}

static void put_learning(struct text *t)
{
    put(t,
        "    chain learn-out {\n"
        "        fib saddr . iif oif missing counter name spoofed-source drop\n"
        "        update @host-pace { ip saddr limit rate over %d/second burst 1000 packets } counter name host-pace "
        "drop\n"
        "        log group %d queue-threshold 1\n"
        "        drop\n    }\n",
        HOST_PACE, GROUP_FIRST + GROUP_OUT);
    put(t,
        "    chain learn-in {\n"
        "        ip saddr @own accept\n"
        "        ip saddr != @servers counter name stranger drop\n"
        "        update @server-pace { ip saddr limit rate over %d/second burst 2000 packets } counter name "
        "server-pace "
        "drop\n"
        "        log group %d queue-threshold 1\n"
        "        drop\n    }\n",
        SERVER_PACE, GROUP_FIRST + GROUP_IN);
    put(t,
        "    chain learn-error {\n"
        "        limit rate over %d/second burst 50 packets counter name error-pace drop\n"
        "        log group %d queue-threshold 1\n"
        "        drop\n    }\n",
        ERROR_PACE, GROUP_FIRST + GROUP_ERROR);
}

static void put_passing(struct text *t)
{
    put(t, "    chain outward {\n"
           "        ip protocol esp ip saddr set ip saddr . ip daddr . esp spi map @outbound accept\n"
           "        ip protocol esp goto learn-out\n"
           "        " IKE "goto learn-out\n"
           "        " ABOUT_ESP "goto learn-error\n"
           "        " ABOUT_IKE "goto learn-error\n"
           "        meta l4proto { tcp, udp, icmp } accept\n"
           "        counter name other-protocol drop\n    }\n");
    put(t, "    chain early {\n"
           "        iifname $outside ip daddr set ip saddr . esp spi map @inbound notrack accept\n"
           "        iifname $inside notrack accept\n"
           "        iifname $outside ip daddr @outside goto learn-in\n    }\n"
           "    chain prerouting {\n"
           "        type filter hook prerouting priority -300\n"
           "        ip protocol esp goto early\n"
           "        iifname $inside fib saddr . iif oif missing counter name spoofed-source drop\n"
           "        iifname $inside " IKE "fib daddr type != local notrack\n"
           "        iifname != $outside accept\n"
           "        ip daddr != @outside accept\n"
           "        " IKE "ip saddr @own notrack accept\n"
           "        " IKE "goto learn-in\n"
           "        " ABOUT_ESP "goto learn-error\n"
           "        " ABOUT_IKE "goto learn-error\n    }\n");
    put(t,
        "    chain output {\n"
        "        type filter hook output priority -300\n"
        "        meta mark %#x meta mark set 0 notrack accept\n"
        "        oifname $outside ip protocol esp update @own { ip daddr } accept\n"
        "        oifname $outside " IKE "update @own { ip daddr } notrack accept\n"
        "        oifname $outside " ABOUT_ESP "goto learn-error\n"
        "        oifname $outside " ABOUT_IKE "goto learn-error\n    }\n",
        ROUTER_MARK);
}

static void put_plain(struct text *t)
{
    put(t, "    chain outward {\n"
           "        ip protocol esp counter name esp-no-ports drop\n"
           "        meta l4proto { tcp, udp, icmp } accept\n"
           "        counter name other-protocol drop\n    }\n"
           "    chain prerouting {\n"
           "        type filter hook prerouting priority -300\n"
           "        iifname $inside fib saddr . iif oif missing counter name spoofed-source drop\n"
           "        iifname $outside ip daddr @outside ip protocol esp counter name esp-no-ports drop\n    }\n");
}

static void put_forwarding(struct text *t, bool passthrough)
{
    put(t, "    chain inward {\n"
           "        ct state established,related accept\n"
           "        ct status dnat accept\n"
           "        counter name unsolicited drop\n    }\n"
           "    chain forward {\n"
           "        type filter hook forward priority 10\n");
    if (passthrough) /* what is bound, counted here since other tables have let it pass by now */
        put(t, "        iifname $outside ip protocol esp ip saddr . esp spi @arrivals accept\n");
    put(t, "        oifname $outside iifname $inside goto outward\n"
           "        iifname $outside oifname $inside goto inward\n    }\n"
           "    chain postrouting {\n"
           "        type nat hook postrouting priority srcnat\n"
           "        iifname $inside oifname $outside meta l4proto { tcp, udp, icmp } masquerade\n    }\n");
}

bool ruleset_write(const struct router_options *options, uint32_t outside_address, char out[static RULESET_MAX])
{
    struct text t = {.out = out};
    put_names(&t, options);
    put(&t, "table ip " ROUTER_TABLE "\ndelete table ip " ROUTER_TABLE "\ntable ip " ROUTER_TABLE " {\n");
    put_counters(&t);
    put_sets(&t, outside_address);
    if (options->passthrough) {
        put_learning(&t);
        put_passing(&t);
    } else {
        put_plain(&t);
    }
    put_forwarding(&t, options->passthrough);
    put(&t, "}\n");
    return !t.failed;
}

/* What the rules and the kernel's forwarding would not deal with otherwise: for us and not merely heard; without
 * options and not in pieces; with time to live and small enough for all devices. Everything else goes on to the rules,
 * also what came in a VLAN, which is another device: its Ethernet type is not that of IP. */
#define PLAIN "meta pkttype host ip hdrlength 5 ip frag-off & 0x3fff 0 ip ttl > 1 meta length @fits "
#define LEAVE "fwd ip to ip daddr map @hops device ip daddr map @doors\n"

/* The names themselves: older nft does not survive a definition as the list of devices. */
static void put_shortcut_chain(struct text *t, const char *name, const char *const *devices, size_t n,
                               const char *translate)
{
    put(t, "    chain %s {\n        type filter hook ingress devices = ", name);
    put_list(t, devices, n);
    put(t,
        " priority 10\n"
        "        ether type ip ip protocol esp " PLAIN "%s " LEAVE
        "        meta iiftype != ether ip protocol esp " PLAIN "%s " LEAVE "    }\n",
        translate, translate);
}

bool ruleset_write_shortcut(const struct router_options *options, char out[static RULESET_MAX])
{
    struct text t = {.out = out};
    put(&t,
        "table netdev " ROUTER_TABLE "\ndelete table netdev " ROUTER_TABLE "\ntable netdev " ROUTER_TABLE " {\n"
        "    map inbound { typeof ip saddr . esp spi : ip daddr; size 65535; flags timeout; counter; }\n"
        "    map outbound { typeof ip saddr . ip daddr . esp spi : ip saddr; size 65535; flags timeout; counter; }\n"
        "    map hops { type ipv4_addr : ipv4_addr; size 65535; }\n"
        "    map doors { type ipv4_addr : iface_index; size 65535; }\n"
        "    set fits { typeof meta length; flags interval; }\n");
    put_shortcut_chain(&t, "outward", options->inside, options->inside_count,
                       "ip saddr set ip saddr . ip daddr . esp spi map @outbound");
    put_shortcut_chain(&t, "inward", &options->outside, 1, "ip daddr set ip saddr . esp spi map @inbound");
    put(&t, "}\n");
    return !t.failed;
}
