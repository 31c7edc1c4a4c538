/* SPDX-License-Identifier: MIT */
#include "rings.h"

#include <bpf/btf.h>
#include <stdbool.h>
#include <string.h>

#include "../native/calls.h"
#include "load.h"
#include "notes.h"

/* What the kernel calls a tracepoint's arguments, behind one of its own; NULL if there is none. */
static const struct btf_type *arguments_of(const struct btf *btf, const char *name)
{
	char typedef_name[64] = "btf_trace_";
	const struct btf_type *type;
	int id;

	strncat(typedef_name, name, sizeof(typedef_name) - strlen(typedef_name) - 1);
	id = btf__find_by_name_kind(btf, typedef_name, BTF_KIND_TYPEDEF);
	type = id > 0 ? btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type) : NULL;
	return type && btf_is_ptr(type) ? btf__type_by_id(btf, type->type) : NULL;
}

static bool is_pointer(const struct btf *btf, const struct btf_type *arguments, unsigned int number)
{
	const struct btf_type *type;

	if (!arguments || !btf_is_func_proto(arguments) || number >= btf_vlen(arguments))
		return false;
	type = btf__type_by_id(btf, btf_params(arguments)[number].type);
	return type && btf_is_ptr(type);
}

/* Whether a request holds the names as a pointer to a text. */
static bool holds_names(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "io_open", BTF_KIND_STRUCT);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		const struct btf_member *member = btf_members(type) + i;
		const struct btf_type *what = btf__type_by_id(btf, member->type);

		if (!strcmp(btf__name_by_offset(btf, member->name_off), "filename"))
			return what && btf_is_ptr(what);
	}
	return false;
}

const char *rings_tracepoint(void)
{
	static const char *const names[] = { RINGS_TRACEPOINT, "io_uring_submit_sqe" };
	struct btf *btf = btf__load_vmlinux_btf();
	const char *found = NULL;

	/* Before 6.0 the first argument is no request, or the end of one does not say which it is. */
	if (btf && holds_names(btf) && btf__find_by_name_kind(btf, "io_cqe", BTF_KIND_STRUCT) > 0 &&
	    is_pointer(btf, arguments_of(btf, "io_uring_complete"), 2))
		for (int i = 0; i < 2 && !found; i++) {
			const struct btf_type *arguments = arguments_of(btf, names[i]);

			if (is_pointer(btf, arguments, 1) && btf_vlen(arguments) <= 3)
				found = names[i];
		}
	btf__free(btf);
	return found;
}

static void set_like(struct settings *settings, int opcode, const char *name)
{
	for (size_t i = 0; i < calls_count; i++)
		if (!strcmp(calls[i].name, name))
			machine_shape(&settings->ring_calls[opcode], &calls[i]);
}

void rings_set(struct settings *settings)
{
	static const struct {
		int opcode;
		const char *call;
	} alike[] = {
		{ RING_OPENAT, "openat" },     { RING_OPENAT2, "openat" },
		{ RING_RENAMEAT, "renameat2" }, { RING_UNLINKAT, "unlinkat" },
		{ RING_MKDIRAT, "mkdirat" },   { RING_SYMLINKAT, "symlinkat" },
		{ RING_LINKAT, "linkat" },     { RING_SETXATTR, "setxattr" },
	};
	static const int unseen[] = { RING_FSETXATTR, RING_FTRUNCATE, RING_BIND, RING_CONNECT };

	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++)
		set_like(settings, alike[i].opcode, alike[i].call);
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		settings->ring_calls[unseen[i]].kind = RING_UNSEEN;
}
