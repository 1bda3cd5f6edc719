/* lwIP for one board on Ethernet: IPv4, DHCP, TCP, and UDP with multicast, called from the main loop alone. All of its memory is
   static: some 40 kB. */
#pragma once

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_NETIF_API 0

#define LWIP_IPV6 0
#define LWIP_DHCP 1
#define DHCP_DOES_ARP_CHECK 0 /* the server knows what it gives away; it would take seconds */
#define LWIP_DNS 0
#define LWIP_IGMP 1
#define LWIP_MULTICAST_TX_OPTIONS 1

#define MEM_ALIGNMENT 4
#define MEM_SIZE (12 * 1024)
#define PBUF_POOL_SIZE 12
#define MEMP_NUM_TCP_PCB 8
#define MEMP_NUM_TCP_SEG 32
#define TCP_MSS 1460
#define TCP_WND (3 * TCP_MSS)
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 16
#define TCP_SYNMAXRTX 2
#define LWIP_TCP_KEEPALIVE 1
/* ms, of connections that say nothing: as long as transport/asio has it */
#define TCP_KEEPIDLE_DEFAULT 7500UL
#define TCP_KEEPINTVL_DEFAULT 7500UL
#define TCP_KEEPCNT_DEFAULT 3U

#define ARP_QUEUEING 1         /* several calls may wait for the same address */
#define LWIP_TCP_RTO_TIME 1000 /* ms, RFC 6298 */

#define LWIP_STATS 0
#define LWIP_NETIF_HOSTNAME 0
