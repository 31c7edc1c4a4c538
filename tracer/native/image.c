/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "journal.h"
#include "variables.h"

enum { ARGV_MAX = 8 << 10, CGROUP_MAX = 2 << 10, ENVIRON_READ = 64 << 10, ENVIRON_MAX = 4 << 10 };

static size_t read_environ(pid_t pid, char *buffer)
{
	static char all[ENVIRON_READ + 1]; /* wiped: environments hold secrets */
	ssize_t length = tracee_proc_file(pid, "environ", all, ENVIRON_READ);
	size_t kept = 0;

	if (length <= 0)
		return 0;
	all[length] = '\0';
	for (const char *variable = all; variable < all + length;) {
		size_t size = strlen(variable) + 1;

		if (variable_is_kept(variable) && kept + size <= ENVIRON_MAX) {
			memcpy(buffer + kept, variable, size);
			kept += size;
		}
		variable += size;
	}
	explicit_bzero(all, (size_t)length);
	return kept;
}

/* @exe and @argv stand in for what can no longer be read; NULL otherwise. */
static void write_image(struct process *process, uint32_t previous, const char *exe)
{
	char cwd[PATH_MAX], argv[ARGV_MAX], cgroup[CGROUP_MAX], environ[ENVIRON_MAX];
	struct process_texts texts = { .argv = argv, .cwd = cwd, .cgroup = cgroup,
				       .environ = environ };
	struct process_record record = {
		.process = process->image = journal_new_image(),
		.parent = process->parent,
		.previous = previous,
		.pid = process->pid,
		.uid = process->uid,
		.gid = process->gid,
	};
	ssize_t length;

	texts.exe = process->exe ? process->exe : exe ? exe : "";
	texts.exe_length = strlen(texts.exe);
	length = tracee_proc_file(process->pid, "cmdline", argv, sizeof(argv));
	texts.argv_length = length > 0 ? (size_t)length : 0;
	length = tracee_proc_link(process->pid, "cwd", cwd, sizeof(cwd));
	texts.cwd_length = length > 0 ? (size_t)length : 0;
	length = tracee_proc_file(process->pid, "cgroup", cgroup, sizeof(cgroup));
	texts.cgroup_length = length > 0 ? (size_t)length : 0;
	texts.environ_length = read_environ(process->pid, environ);
	journal_process(&record, &texts);
}

void image_ensure(struct process *process)
{
	if (!process->image)
		write_image(process, 0, NULL);
}

void image_replace(struct process *process, const char *path)
{
	bool nobody = !process->image && !process->parent;

	process_renew(process);
	write_image(process, process->image, path);
	if (nobody && path) {
		/* The first program of all: nobody else can be said to have executed it. */
		struct access access = {
			.image = process->image, .op = OP_EXEC, .outcome = OUTCOME_OK, .path = path
		};

		journal_write(journal_key(&access), &access);
	}
}

void image_after_exec(struct process *process)
{
	char *path;

	if (process_exec_happened(process, &path))
		image_replace(process, path);
	free(path);
}
