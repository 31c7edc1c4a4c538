/* SPDX-License-Identifier: MIT */
/* Is io_uring to be had? */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	/* A null pointer: a kernel that has the call says EFAULT. */
	long result = syscall(SYS_io_uring_setup, 1, NULL);

	puts(result < 0 && errno == ENOSYS ? "ENOSYS" : "there");
	return 0;
}
