/* Where the fields are that segmentation mends (RFC 791, 8200, 9293, 768). */
#ifndef SEKISHO_OFFLOAD_INTERNAL_H
#define SEKISHO_OFFLOAD_INTERNAL_H

#include "offload/offload.h"

#define IP4_HEADER      20
#define IP4_CHECKSUM_AT 10
#define IP4_ADDRESSES   12
#define IP6_HEADER      40
#define IP6_ADDRESSES   8

#define TCP_HEADER_MIN  20
#define TCP_SEQ_AT      4
#define TCP_ACK_AT      8
#define TCP_OFFSET_AT   12
#define TCP_FLAGS_AT    13
#define TCP_WINDOW_AT   14
#define TCP_CHECKSUM_AT 16
#define TCP_URGENT_AT   18

#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_ECE 0x40
#define TCP_CWR 0x80

#define UDP_HEADER      8
#define UDP_LENGTH_AT   4
#define UDP_CHECKSUM_AT 6

#endif
