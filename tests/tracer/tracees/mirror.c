// SPDX-License-Identifier: MIT
// A FUSE file system that shows the files of a directory: mirror DIRECTORY -f MOUNTPOINT
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *top;

static int open_at(const char *path)
{
	char name[8192];

	snprintf(name, sizeof(name), "%s%s", top, path);
	return open(name, O_RDONLY);
}

static int do_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	char name[8192];

	(void)info;
	snprintf(name, sizeof(name), "%s%s", top, path);
	return lstat(name, st) ? -errno : 0;
}

static int do_open(const char *path, struct fuse_file_info *info)
{
	int fd = open_at(path);

	(void)info;
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int do_read(const char *path, char *to, size_t size, off_t offset,
		   struct fuse_file_info *info)
{
	int fd = open_at(path);
	ssize_t got;

	(void)info;
	if (fd < 0)
		return -errno;
	got = pread(fd, to, size, offset);
	close(fd);
	return got < 0 ? -EIO : (int)got;
}

int main(int count, char **words)
{
	static const struct fuse_operations operations = {
		.getattr = do_getattr, .open = do_open, .read = do_read
	};

	top = words[1];
	words[1] = words[0];
	return fuse_main(count - 1, words + 1, &operations, NULL);
}
