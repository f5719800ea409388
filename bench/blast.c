/*
 * The load for measuring the road from the TUN to ESP: UDP in trains (UDP_SEGMENT) of full packets, as fast as the
 * kernel takes them, for a while.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
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

int main(int argc, char **argv)
{
    static uint8_t train[SEGMENTS * PAYLOAD];
    const int segment = PAYLOAD;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if (argc != 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
        fputs("blast ADDRESS SECONDS\n", stderr);
        return 2;
    }
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
        setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0) {
        perror("blast");
        return 1;
    }
    memset(train, 0x5a, sizeof(train));
    uint64_t sent = 0;
    for (const double end = now() + atof(argv[2]); now() < end;) {
        if (send(fd, train, sizeof(train), 0) > 0)
            sent += SEGMENTS;
        else if (errno != ECONNREFUSED && errno != ENOBUFS) {
            perror("blast: send");
            return 1;
        }
    }
    printf("%llu\n", (unsigned long long)sent);
    return 0;
}
