/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

static int install(const struct filter_options *options, unsigned long flags)
{
	struct sock_fprog program;
	long result;

	if (filter_build(options, &program)) {
		errno = E2BIG;
		return -1;
	}
	result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0 && errno == EACCES) {
		/* Not privileged: setuid programs below lose their privilege, as under strace. */
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			return -1;
		result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	}
	return (int)result;
}

int filter_install(const struct filter_options *options)
{
	return install(options, FILTER_FLAGS);
}

int filter_install_refusal(void)
{
	return install(&(struct filter_options){ .nothing = true }, 0);
}
