// SPDX-License-Identifier: MIT
// Waits while children end, whose SIGCHLD nobody wants; has a handler for another signal. Prints how
// often a wait ended with EINTR, and then how often for a signal that is handled.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void handle(int number)
{
	(void)number;
}

int main(void)
{
	struct sigaction action = { .sa_handler = handle };
	struct timeval limit = { 0, 200000 };
	struct epoll_event event;
	int epoll = epoll_create1(0), pair[2], interrupted = 0;
	char byte;

	sigaction(SIGALRM, &action, NULL);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	for (int i = 0; i < 10; i++) {
		if (!fork()) {
			usleep(20000);
			_exit(0);
		}
		if (i % 2)
			interrupted += epoll_wait(epoll, &event, 1, 200) < 0 && errno == EINTR;
		else
			interrupted += recv(pair[0], &byte, 1, 0) < 0 && errno == EINTR;
		wait(NULL);
	}
	printf("%d\n", interrupted);
	for (int i = 0; i < 5; i++) {
		struct itimerval soon = { { 0, 0 }, { 0, 20000 } };

		setitimer(ITIMER_REAL, &soon, NULL);
		interrupted += epoll_wait(epoll, &event, 1, 2000) < 0 && errno == EINTR;
	}
	printf("%d\n", interrupted);
	return 0;
}
