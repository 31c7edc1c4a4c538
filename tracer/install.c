/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

int filter_install(const struct filter_options *options)
{
	struct sock_fprog program;
	long listener;

	if (filter_build(options, &program)) {
		errno = E2BIG;
		return -1;
	}
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, FILTER_FLAGS, &program);
	if (listener < 0 && errno == EACCES) {
		/* Not privileged: setuid programs below lose their privilege, as under strace. */
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			return -1;
		listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, FILTER_FLAGS, &program);
	}
	return (int)listener;
}
