/* SPDX-License-Identifier: MIT */
/*
 * Operations that are handed to io_uring: they are no calls, but the kernel says when it has taken
 * one, its names with it, and when it is done. Until then it is kept here.
 */
#ifndef IMPTRACE_RINGS_BPF_H
#define IMPTRACE_RINGS_BPF_H

#include "enter.bpf.h"
#include "exit.bpf.h"

enum { RING_OPS_KEPT = 512, REQUEST_SKIPS_RESULT = 1 << 6, ECANCELED_ = 125 };

struct ring_op {
	struct pending pending;
	u64 args[5];		/* those of the call that does the same, but for its names */
	u32 image, tgid;
	u32 slot;		/* an open: it is to become no descriptor */
	u32 pad;
	char names[2][TEXT_MAX];
};

/* By the address of the request. Those that are never told to be done make room in the end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RING_OPS_KEPT);
	__type(key, u64);
	__type(value, struct ring_op);
} ring_ops SEC(".maps");

/* Where one is put together; whoever has the scratch has this. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct ring_op);
} ring_op_scratch SEC(".maps");

static __always_inline void take_ring_name(char *to, struct filename *from)
{
	if (bpf_probe_read_kernel_str(to, TEXT_MAX, READ(from, name)) < 0)
		to[0] = '\0';
}

/* What is asked for; its names lie in the kernel already. */
static __always_inline void take_ring_op(struct ring_op *op, u8 opcode, struct io_kiocb *request)
{
	struct io_open *open = (void *)request;
	struct io_unlink *unlink = (void *)request;
	struct io_rename *rename = (void *)request;
	struct io_mkdir *mkdir = (void *)request;
	struct io_link *link = (void *)request;
	struct io_xattr *xattr = (void *)request;

	op->slot = 0;
	op->names[0][0] = op->names[1][0] = '\0';
	switch (opcode) {
	case RING_OPENAT:
	case RING_OPENAT2:
		op->args[0] = (u64)(s64)READ(open, dfd);
		op->args[2] = READ(open, how.flags);
		op->slot = READ(open, file_slot);
		take_ring_name(op->names[0], READ(open, filename));
		break;
	case RING_UNLINKAT:
		op->args[0] = (u64)(s64)READ(unlink, dfd);
		op->args[2] = (u32)READ(unlink, flags);
		take_ring_name(op->names[0], READ(unlink, filename));
		break;
	case RING_MKDIRAT:
		op->args[0] = (u64)(s64)READ(mkdir, dfd);
		take_ring_name(op->names[0], READ(mkdir, filename));
		break;
	case RING_RENAMEAT:
		op->args[0] = (u64)(s64)READ(rename, old_dfd);
		op->args[2] = (u64)(s64)READ(rename, new_dfd);
		op->args[4] = (u32)READ(rename, flags);
		take_ring_name(op->names[0], READ(rename, oldpath));
		take_ring_name(op->names[1], READ(rename, newpath));
		break;
	case RING_LINKAT:
		op->args[0] = (u64)(s64)READ(link, old_dfd);
		op->args[2] = (u64)(s64)READ(link, new_dfd);
		op->args[4] = (u32)READ(link, flags);
		take_ring_name(op->names[0], READ(link, oldpath));
		take_ring_name(op->names[1], READ(link, newpath));
		break;
	case RING_SYMLINKAT:
		op->args[1] = (u64)(s64)READ(link, new_dfd);
		take_ring_name(op->names[0], READ(link, newpath));
		take_ring_name(op->names[1], READ(link, oldpath));
		break;
	case RING_SETXATTR:
		take_ring_name(op->names[0], READ(xattr, filename));
		break;
	}
}

/* It, as if it were the call that does the same. */
static __always_inline void made_of_ring(struct made *made, const struct ring_op *op, u8 opcode)
{
	made->shape = settings.ring_calls[opcode & (RING_CALLS - 1)];
	for (int i = 0; i < 5; i++)
		made->args[i] = op->args[i];
	made->compat = 0;
	made->names = (u64)op->names[0];
	made->slot = op->slot;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_ring_submit, struct io_kiocb *request)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u8 opcode = READ(request, opcode) & (RING_CALLS - 1);
	struct process_mark *process;
	struct ring_op *op;
	struct made made = {};
	struct scratch *s;
	u64 key = (u64)request;
	u32 zero = 0;
	u8 kind;

	kind = settings.ring_calls[opcode].kind;
	if (!kind)
		return 0;
	process = process_now(task);
	if (!process)
		return 0;
	if (kind == RING_UNSEEN || READ(request, flags) & REQUEST_SKIPS_RESULT) {
		tell_ring(process->image);
		return 0;
	}
	s = scratch_take();
	if (!s)
		return 0;
	op = bpf_map_lookup_elem(&ring_op_scratch, &zero);
	if (op) {
		op->image = process->image;
		op->tgid = (u32)task->tgid;
		op->pending.marks = 0;
		op->pending.entered = bpf_ktime_get_ns();
		take_ring_op(op, opcode, request);
		made_of_ring(&made, op, opcode);
		enter_named(s, &made, flags_of(&made), &op->pending);
		if (bpf_map_update_elem(&ring_ops, &key, op, BPF_ANY))
			count_loss(op->pending.entered);
	}
	scratch_give(s);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_ring_done, void *ring, void *address)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct io_kiocb *request = address;
	u64 key = (u64)address;
	struct process_mark *process;
	struct ring_op *op;
	struct made made = {};
	s32 result;
	u8 opcode;

	if (!key)
		return 0;
	opcode = READ(request, opcode) & (RING_CALLS - 1);
	if (!settings.ring_calls[opcode].kind)
		return 0;
	op = bpf_map_lookup_elem(&ring_ops, &key);
	if (!op)
		return 0;
	result = READ(request, cqe.res);
	process = process_now(task);
	if (process && op->tgid != (u32)task->tgid) {
		tell_ring(op->image);
	} else if (process && result != -ECANCELED_) {
		made_of_ring(&made, op, opcode);
		call_done(process, &made, &op->pending, result);
	}
	bpf_map_delete_elem(&ring_ops, &key);
	return 0;
}

#endif
