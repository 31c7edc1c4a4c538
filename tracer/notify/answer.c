/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* linux/errno.h has it for the kernel only: the call starts again, whatever a handler says. */
enum { ERESTARTNOINTR = 513 };

static struct seccomp_notif_resp *response;
static size_t response_size;

int answer_prepare(size_t size)
{
	response_size = size > sizeof(*response) ? size : sizeof(*response);
	response = calloc(1, response_size);
	return response ? 0 : -1;
}

static int answer(int listener, uint64_t id, int error, unsigned int flags)
{
	memset(response, 0, response_size);
	response->id = id;
	response->error = error;
	response->flags = flags;
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response);
}

int answer_go_on(int listener, uint64_t id)
{
	return answer(listener, id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

int answer_again(int listener, uint64_t id)
{
	return answer(listener, id, -ERESTARTNOINTR, 0);
}

bool answer_waits(int listener, uint64_t id)
{
	/* Refused in two ways: it was answered, or it is not there any more. */
	return answer_go_on(listener, id) && errno == EINPROGRESS;
}

int answer_fail(int listener, uint64_t id, int error)
{
	return answer(listener, id, -error, 0);
}
