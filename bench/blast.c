/*
 * The load for measuring the road from the TUN to ESP: UDP in full packets, as fast as the kernel takes them: in trains
 * (UDP_SEGMENT) for a while, or a number of them one by one.
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

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    const bool singly = argc == 4 && strcmp(argv[2], "packets") == 0;
    if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || (!singly && strcmp(argv[2], "trains") != 0)) {
        fputs("blast ADDRESS trains SECONDS\nblast ADDRESS packets COUNT\n", stderr);
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
