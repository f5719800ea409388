/*
 * ESP in transport mode (RFC 4303), in bursts: the SA database of one shard, the replay window, sealing and opening.
 * It knows nothing of addresses, IKE or L2TP. An inbound SA is found by its SPI, which carries the shard and the SA's
 * slot, so that look-up is an array index.
 */
#ifndef SEKISHO_ESP_H
#define SEKISHO_ESP_H

#include "crypto/crypto.h"

#define ESP_REPLAY_WINDOW 2048 /* sequence numbers */

struct esp;

struct esp_config {
    uint32_t max_sas;   /* inbound and outbound counted apart */
    uint8_t shard;      /* this shard's number, in the low bits of every SPI */
    uint8_t shard_bits; /* how many bits that are; 0 for one shard */
    const char *engine; /* as for engine_new() */
};

/* rng is copied; its context must live as long. NULL when the engine cannot be had, when max_sas and shard_bits leave
 * an SPI no random bits, or out of memory. */
struct esp *esp_new(const struct esp_config *config, const struct random *rng);
void esp_free(struct esp *esp);
const char *esp_engine(const struct esp *esp);

/* Reserves an inbound SPI for an SA still being negotiated. 0 when all slots are taken. */
uint32_t esp_spi_reserve(struct esp *esp);
/* Gives a reserved SPI back; the SA installed on it, if any, goes too. Unknown SPIs are ignored. */
void esp_spi_release(struct esp *esp, uint32_t spi);

struct esp_life {
    uint64_t soft_bytes, hard_bytes; /* of ciphertext; UINT64_MAX for no limit */
};

struct esp_sa_config {
    struct esp_transform transform;
    struct view keymat; /* borrowed for the call */
    struct esp_life life;
    uint32_t owner; /* the caller's word, given back in packet.owner (inbound) */
};

/* Installs the SA of a reserved SPI. With SHA-256 the ICV length, 128 or 96 bits, is found out from the packets: the
 * first authentic one decides, except that 128 bits are believed over 96 at any time and then for good (anybody can cut
 * an ICV). ERR_NOTFOUND: the SPI was not reserved. ERR_EXISTS: it has an SA already. */
enum err esp_inbound_add(struct esp *esp, uint32_t spi, const struct esp_sa_config *config);
/* Makes an outbound SA for the peer's SPI. *handle, never 0, names it until esp_outbound_del(). ERR_INVALID: a reserved
 * SPI, or key sizes. ERR_LIMIT: all slots are taken. */
enum err esp_outbound_add(struct esp *esp, uint32_t spi, const struct esp_sa_config *config, uint32_t *handle);
void esp_outbound_del(struct esp *esp, uint32_t handle);
/* Makes an outbound SHA-256 SA follow the ICV length that its inbound twin has found or will find. Once per pair is
 * enough; harmless with other transforms. */
void esp_outbound_follow(struct esp *esp, uint32_t handle, uint32_t inbound_spi);

/* The largest plain packet (inner UDP and all) whose ESP packet has at most `limit` bytes from the SPI on. */
uint32_t esp_payload_limit(const struct esp *esp, uint32_t handle, uint32_t limit);
/* Bytes from the SPI on, for a plain packet of len. */
uint32_t esp_sealed_length(const struct esp *esp, uint32_t handle, uint32_t len);
/* Bytes that esp_seal() needs before a packet. */
uint32_t esp_headroom(const struct esp *esp, uint32_t handle);

/* Opens up to BURST_MAX packets whose data starts at the SPI. Afterwards data is the transport packet (UDP), owner the
 * SA's owner word, newest told by its sequence number, and *spi[i] the SPI; or verdict says why not. Sequence numbers
 * count as seen only once the ICV matched. */
void esp_open(struct esp *esp, struct packet *packets, uint32_t *spis, size_t n);
/* Seals up to BURST_MAX transport packets; handles[i] names the SA of packets[i]. next header is UDP. */
void esp_seal(struct esp *esp, struct packet *packets, const uint32_t *handles, size_t n);

/* What an SA has done; for status and for lifetimes in kilobytes. */
struct esp_counters {
    uint64_t packets, bytes;
    uint64_t replayed, bad_icv;
    bool soft_expired, hard_expired;
    uint8_t icv_bytes;
};
bool esp_inbound_counters(const struct esp *esp, uint32_t spi, struct esp_counters *out);

/* The next SA that has crossed its soft or hard byte limit since asked last: its inbound SPI, or its outbound handle.
 * The sequence numbers of an outbound SA are such a limit too: soft shortly before their end, hard when they are used
 * up. */
bool esp_expiring(struct esp *esp, bool *inbound, uint32_t *which, bool *hard);

#endif
