/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo: the least that a UDP server can do: what comes in goes back with the QR bit set. It is what
 * holdfast-dns is measured against. It uses the same system calls, in batches of the same size.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BATCH = 32, SIZE = 2048 };

static struct mmsghdr msg[BATCH];
static struct iovec iov[BATCH];
static struct sockaddr_in6 from[BATCH];
static uint8_t packet[BATCH][SIZE];

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 5999)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), rcvbuf = 4 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("echo: bind");
		return 2;
	}
	for (;;) {
		int n;

		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ packet[i], SIZE };
			msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
				.msg_iovlen = 1,
				.msg_name = &from[i],
				.msg_namelen = sizeof(from[i]) };
		}
		n = recvmmsg(fd, msg, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			iov[i].iov_len = msg[i].msg_len;
			packet[i][2] |= 0x80;
		}
		if (n > 0)
			sendmmsg(fd, msg, (unsigned)n, MSG_DONTWAIT);
	}
}
