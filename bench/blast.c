/*
 * The load for measuring the road from the TUN to ESP: UDP in full packets, as fast as the kernel takes them: in trains
 * (UDP_SEGMENT) for a while, or a number of them one by one. And the load for a router: whole IP packets of UDP or ESP,
 * which cost their sender the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define PAYLOAD  1372 /* an inner packet of 1400 bytes */
#define SEGMENTS 46
#define PORT     9

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const uint8_t train[SEGMENTS * PAYLOAD];
static uint64_t sent;

static bool send_packets(int fd, size_t n)
{
    if (send(fd, train, n * PAYLOAD, 0) > 0)
        sent += n;
    else if (errno != ECONNREFUSED && errno != ENOBUFS)
        return false;
    return true;
}

static bool send_trains(int fd, double seconds)
{
    const int segment = PAYLOAD;
    if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
        return false;
    for (const double end = now() + seconds; now() < end;)
        if (!send_packets(fd, SEGMENTS))
            return false;
    return true;
}

static bool send_singly(int fd, unsigned long count)
{
    for (; count > 0; count--)
        if (!send_packets(fd, 1))
            return false;
    return true;
}

#define RAW_BATCH  32
#define RAW_PACKET 1400
#define IP_HEADER  20

/* An IPv4 packet of this protocol; word is both ports of UDP, or the SPI of ESP. The kernel writes the header's
 * checksum. */
static void write_raw(uint8_t out[static RAW_PACKET], const char *from, const char *to, int protocol, uint32_t word)
{
    const uint16_t length = htons(RAW_PACKET), udp_length = htons(RAW_PACKET - IP_HEADER);
    word = htonl(word);
    memset(out, 0, RAW_PACKET);
    out[0] = 0x45;
    memcpy(out + 2, &length, sizeof(length));
    out[8] = 64;
    out[9] = (uint8_t)protocol;
    inet_pton(AF_INET, from, out + 12);
    inet_pton(AF_INET, to, out + 16);
    memcpy(out + IP_HEADER, &word, sizeof(word));
    if (protocol == IPPROTO_UDP)
        memcpy(out + IP_HEADER + 4, &udp_length, sizeof(udp_length));
    else
        out[IP_HEADER + 7] = 1;
}

static bool send_raw(int fd, const struct sockaddr_in *to, uint8_t packet[static RAW_PACKET], unsigned long count)
{
    struct iovec piece = {packet, RAW_PACKET};
    struct mmsghdr batch[RAW_BATCH];
    for (size_t i = 0; i < RAW_BATCH; i++)
        batch[i] = (struct mmsghdr){
            .msg_hdr = {.msg_name = (void *)to, .msg_namelen = sizeof(*to), .msg_iov = &piece, .msg_iovlen = 1}};
    const double start = now();
    while (sent < count) {
        const int n = sendmmsg(fd, batch, RAW_BATCH, 0);
        if (n < 0 && errno != ENOBUFS)
            return false;
        sent += n > 0 ? (uint64_t)n : 0;
    }
    printf("%.9f\n", (now() - start) / (double)sent * 1e9);
    return true;
}

/* blast FROM TO udp|esp WORD COUNT: prints nanoseconds a packet. */
static int raw(char **argv)
{
    uint8_t packet[RAW_PACKET];
    struct sockaddr_in to = {.sin_family = AF_INET};
    const int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    inet_pton(AF_INET, argv[2], &to.sin_addr);
    write_raw(packet, argv[1], argv[2], strcmp(argv[3], "esp") == 0 ? IPPROTO_ESP : IPPROTO_UDP,
              (uint32_t)strtoul(argv[4], NULL, 16));
    if (fd >= 0 && send_raw(fd, &to, packet, strtoul(argv[5], NULL, 10)))
        return 0;
    perror("blast");
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 6)
        return raw(argv);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    const bool singly = argc == 4 && strcmp(argv[2], "packets") == 0;
    if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || (!singly && strcmp(argv[2], "trains") != 0)) {
        fputs("blast ADDRESS trains SECONDS\nblast ADDRESS packets COUNT\nblast FROM TO udp|esp WORD COUNT\n", stderr);
        return 2;
    }
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
        !(singly ? send_singly(fd, strtoul(argv[3], NULL, 10)) : send_trains(fd, atof(argv[3])))) {
        perror("blast");
        return 1;
    }
    printf("%llu\n", (unsigned long long)sent);
    return 0;
}
