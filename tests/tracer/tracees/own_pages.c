// SPDX-License-Identifier: MIT
// Opens a file whose name lies on a page that another thread of the program fills from a file, as
// a restored process does.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int faults;

static void *serve(void *unused)
{
	struct uffd_msg message;
	static char page[4096];

	(void)unused;
	while (read(faults, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_copy copy = { .src = (unsigned long)page, .len = sizeof(page) };
		int fd = open("page", O_RDONLY);

		copy.dst = message.arg.pagefault.address & ~4095UL;
		if (read(fd, page, sizeof(page) - 1) < 0)
			return NULL;
		close(fd);
		ioctl(faults, UFFDIO_COPY, &copy);
	}
	return NULL;
}

int main(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t thread;
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api))
		return 77;
	range.range.start = (unsigned long)page;
	range.range.len = 4096;
	ioctl(faults, UFFDIO_REGISTER, &range);
	pthread_create(&thread, NULL, serve, NULL);
	puts(open(page, O_RDONLY) < 0 ? "failed" : "opened");
	return 0;
}
