/* SPDX-License-Identifier: MIT */
#include "open.h"

#include <fcntl.h>

#include "../native/calls.h"
#include "../native/opens.h"
#include "../native/records.h"

static int new_file(int mode, bool exclusive, struct open_op *ops)
{
	uint32_t detail = exclusive ? FLAG_EXCLUSIVE : 0;
	int count = 0;

	ops[count++] = (struct open_op){ OP_CREATE, detail };
	if (mode != O_RDONLY)
		ops[count++] = (struct open_op){ OP_WRITE, detail };
	return count;
}

static int existing_file(const struct note *note, int mode, struct open_op *ops)
{
	int flags = (int)note->flags, count = 0;

	if (mode != O_WRONLY && !(flags & O_TRUNC && mode == O_RDWR))
		ops[count++] = (struct open_op){
			OP_READ, note->marks & MARK_EMPTY ? FLAG_EMPTY : 0
		};
	if (open_truncates(flags, note->marks & MARK_DIRECTORY, -note->result))
		ops[count++] = (struct open_op){ OP_TRUNCATE, 0 };
	if (mode != O_RDONLY)
		ops[count++] = (struct open_op){ OP_WRITE, 0 };
	return count;
}

int open_ops(const struct note *note, bool stats, struct open_op *ops)
{
	int flags = (int)note->flags, mode = flags & O_ACCMODE;
	bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	bool missing = note->result < 0 && !(note->marks & MARK_THERE);

	if (flags & O_PATH) {
		ops[0] = (struct open_op){ OP_STAT, 0 };
		return stats;
	}
	if (note->marks & MARK_CREATED || open_creates(flags, missing, -note->result))
		return new_file(mode, exclusive, ops);
	return existing_file(note, mode, ops);
}
