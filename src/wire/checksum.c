/* The Internet checksum (RFC 1071), summed eight bytes at a time: the order of bytes does not matter to the sum. */
#include "wire/wire.h"

#include <endian.h>
#include <string.h>

uint32_t inet_sum(uint32_t sum, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t wide = 0;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        wide += v;
        wide += wide < v; /* end-around carry */
    }
    uint64_t rest = 0;
    if (n > 0)
        memcpy(&rest, p, n); /* a missing last byte counts as zero */
    wide += rest;
    wide += wide < rest;
    wide = (wide & 0xffffffff) + (wide >> 32);
    wide = (wide & 0xffff) + (wide >> 16);
    wide = (wide & 0xffff) + (wide >> 16);
    wide = (wide & 0xffff) + (wide >> 16);
    const uint64_t total = (uint64_t)sum + be16toh((uint16_t)wide);
    return (uint32_t)(total & 0xffffffff) + (uint32_t)(total >> 32);
}

uint16_t inet_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint32_t inet_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto, uint32_t len)
{
    uint32_t sum = inet_sum(0, src->b, ip_addr_size(src));
    sum = inet_sum(sum, dst->b, ip_addr_size(dst));
    return sum + proto + (len >> 16) + (len & 0xffff);
}
