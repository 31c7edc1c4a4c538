/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../native/calls.h"
#include "names.h"
#include "rings.h"
#include "machine_objects.h" /* made by setup.py of machine.bpf.c */

/* It counts twice for whoever reads it, and stays for good; .ring of state.bpf.h is larger. */
enum { MACHINE_RING = 8 << 20 };

/* A directory on another mount than where its path begins: no call can shorten it. */
static const char probe_path[] = "/proc/../sys/kernel";

/* One of the ways in which the programs can be loaded, the better first. */
struct way {
	bool casts;	/* what the kernel points to is read by plain loads: Linux 6.4 and newer */
	bool by_list;	/* names are looked for in their directory's list: the table was not found */
	const char *rings;	/* tells of what io_uring is given to do: rings.h */
};

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static bool wants_entry(const struct call *call)
{
	switch ((enum call_kind)call->kind) {
	case CALL_OPEN:
	case CALL_OPENAT2:
	case CALL_RENAME:
	case CALL_EXEC:
		return true;
	case CALL_FD:
	case CALL_PATH:
	case CALL_LPATH:
	case CALL_ATPATH:
		return call->op != OP_STAT && call->op != OP_MKDIR && call->op != OP_CREATE;
	default:
		return false;
	}
}

/* Whether a call is left alone. */
static bool is_unwanted(const struct call *call, const struct machine_options *options)
{
	if (call_is_question(call))
		return !options->stats;
	return options->writes_only && (call->op == OP_CONNECT);
}

void machine_shape(struct call_shape *shape, const struct call *call)
{
	*shape = (struct call_shape){
		.kind = (unsigned char)(call->kind + 1), .op = call->op, .dirfd = call->dirfd,
		.path = call->path, .flags = call->flags, .dirfd2 = call->dirfd2,
		.path2 = call->path2, .bits = wants_entry(call) ? WANTS_ENTRY : 0,
	};
}

static void set_call(struct call_shape *shapes, const struct call *call, int number)
{
	if (number >= 0 && number < CALL_NUMBERS)
		machine_shape(&shapes[number], call);
}

/* @rings: what io_uring does is seen by itself. */
static void set_calls(struct settings *settings, const struct machine_options *options, bool rings)
{
	static const struct call uring = { "io_uring_enter", 426, 426, 426, CALL_URING, 0,
					   NO_ARG, NO_ARG, NO_ARG, NO_ARG, NO_ARG };

	for (int row = 0; row < 2 && call_arches[row]; row++) {
		for (size_t i = 0; i < calls_count; i++)
			if (!is_unwanted(&calls[i], options) &&
			    (calls[i].kind <= CALL_SOCKETCALL || calls[i].kind == CALL_WORLD))
				set_call(settings->calls[row], &calls[i],
					 call_number(&calls[i], call_arches[row]));
		if (!rings)
			set_call(settings->calls[row], &uring, 426);
	}
	if (rings)
		rings_set(settings);
}

static uint32_t namespace_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

static int configure(struct machine *machine, const struct machine_options *options,
		     struct way way)
{
	struct bpf_map *map = bpf_object__find_map_by_name(machine->object, ".rodata");
	struct settings *settings = calloc(1, sizeof(*settings));
	size_t size = 0;
	const void *initial = map ? bpf_map__initial_value(map, &size) : NULL;
	char *value = initial && size >= sizeof(*settings) ? malloc(size) : NULL;
	int result = -1;

	if (settings && value) {
		settings->scope = options->scope;
		settings->stats = options->stats;
		settings->writes_only = options->writes_only;
		settings->only_devices = options->only_devices;
		settings->user = options->user;
		strncpy(settings->group_name, options->group_name, GROUP_NAME_MAX);
		settings->names_by_list = way.by_list;
		settings->mount_namespace = namespace_of("/proc/self/ns/mnt");
		settings->pid_namespace = namespace_of("/proc/self/ns/pid");
		settings->user_namespace = namespace_of("/proc/self/ns/user");
		set_calls(settings, options, way.rings);
		memcpy(value, initial, size);
		memcpy(value, settings, sizeof(*settings)); /* the only variable there */
		result = bpf_map__set_initial_value(map, value, size);
	}
	free(settings);
	free(value);
	return result;
}

/* Takes records, but for one that is asked for to see whether names can be followed. */
static int take_note(void *context, void *data, size_t size)
{
	struct machine *machine = context;
	const struct note *note = data;

	if (!machine->probed_inode)
		return machine->take(machine->context, data, size);
	if (size >= sizeof(*note) && note->type == NOTE_CALL && note->marks & MARK_THERE &&
	    note->before.inode == machine->probed_inode)
		machine->names_known = true;
	return 0;
}

/* Asks the kernel for something that it refuses us, and looks what the programs say of it. */
static bool probe_once(struct machine *machine)
{
	if (truncate(probe_path, 0) < 0)
		ring_buffer__consume(machine->ring);
	return machine->names_known;
}

/* Whether names can be followed, with the table of names wherever it may be. */
static void probe_names(struct machine *machine, bool by_list)
{
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct names_place places[NAMES_PLACES_MAX];
	struct stat st;
	uint32_t image;
	int count;

	if (self >= 0 && !stat(probe_path, &st) &&
	    !machine_mark(machine, self, PROCESS_TRACED, &image)) {
		machine->probed_inode = st.st_ino;
		count = by_list ? 1 : names_find_places(machine->counters, places);
		for (int i = 0; i < count && !machine->names_known; i++) {
			if (!by_list) {
				machine->counters->names_table = places[i].table;
				machine->counters->names_shift = places[i].shift;
			}
			probe_once(machine);
		}
		machine->probed_inode = 0;
		machine_mark(machine, self, PROCESS_OURS, &image);
	}
	if (self >= 0)
		close(self);
}

static bool run_once(struct machine *machine, const char *name)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct bpf_program *program = bpf_object__find_program_by_name(machine->object, name);

	return bpf_program__fd(program) >= 0 &&
	       !bpf_prog_test_run_opts(bpf_program__fd(program), &run);
}

/* Asks the kernel where it keeps names: all symbols are read only where it answers no questions. */
static void find_names(struct machine *machine)
{
	names_want_symbols(machine->counters);
	if (!run_once(machine, "find_symbols"))
		names_find_symbols(machine->counters);
	run_once(machine, "prepare");
}

/* Leaves out the programs that are not needed, or that this kernel does not know. */
static void choose_programs(struct machine *machine, const struct machine_options *options,
			    const char *rings)
{
	struct bpf_object *object = machine->object;
	bool answers = libbpf_probe_bpf_helper(BPF_PROG_TYPE_SYSCALL,
					       BPF_FUNC_kallsyms_lookup_name, NULL) == 1;

	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "find_symbols"), answers);
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "on_group"),
				  options->scope == SCOPE_GROUP && *options->group_name);
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "on_ring_done"), rings);
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "on_ring_submit"), rings);
	if (rings)
		bpf_program__set_attach_target(
			bpf_object__find_program_by_name(object, "on_ring_submit"), 0, rings);
}

static int attach(struct machine *machine)
{
	struct bpf_program *program;
	int count = 0;

	bpf_object__for_each_program(program, machine->object) {
		if (bpf_program__type(program) != BPF_PROG_TYPE_TRACING ||
		    bpf_program__fd(program) < 0)
			continue;
		if (count == LINKS_KEPT)
			break;
		machine->links[count] = bpf_program__attach(program);
		if (!machine->links[count]) {
			machine->failed = bpf_program__name(program);
			return -1;
		}
		count++;
	}
	return 0;
}

static int map_fd(struct machine *machine, const char *name)
{
	return bpf_object__find_map_fd_by_name(machine->object, name);
}

/* The memory that the programs count in. */
static volatile struct counters *map_counters(struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".bss");
	void *memory = MAP_FAILED;

	if (map)
		memory = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED,
			      bpf_map__fd(map), 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static int open_with(struct machine *machine, const struct machine_options *options,
		     struct way way)
{
	machine->failed = "its programs";
	machine->object = way.casts ? bpf_object__open_mem(object_casts, sizeof(object_casts), NULL) :
				      bpf_object__open_mem(object_plain, sizeof(object_plain), NULL);
	if (!machine->object || configure(machine, options, way))
		return -1;
	choose_programs(machine, options, way.rings);
	if (options->scope == SCOPE_MACHINE)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(machine->object, "ring"),
					 MACHINE_RING);
	machine->failed = "loading its programs";
	if (bpf_object__load(machine->object))
		return -1;
	machine->processes = map_fd(machine, "processes");
	machine->repeats = map_fd(machine, "repeats");
	machine->losses = map_fd(machine, "losses");
	machine->devices = map_fd(machine, "devices");
	machine->counters = map_counters(machine->object);
	machine->failed = "its ring";
	machine->ring = ring_buffer__new(map_fd(machine, "ring"), take_note, machine, NULL);
	if (!machine->ring || !machine->counters)
		return -1;
	machine->counters->group = options->group;
	machine->counters->group_parent = options->group_parent;
	find_names(machine);
	machine->counters->group_level = machine->counters->own_level + options->group_depth;
	machine->failed = "attaching its programs";
	if (attach(machine))
		return -1;
	probe_names(machine, way.by_list);
	return 0;
}

int machine_open(struct machine *machine, const struct machine_options *options,
		 machine_take take, void *context)
{
	/* To look what the kernel knows of io_uring takes a tenth of the time that all takes. */
	bool looked = options->portable;
	struct way way = {
		.casts = !options->portable,
		.rings = looked ? rings_tracepoint() : RINGS_TRACEPOINT,
	};

	libbpf_set_print(say_nothing);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	for (;;) {
		int result;

		memset(machine, 0, sizeof(*machine));
		machine->take = take;
		machine->context = context;
		result = open_with(machine, options, way);
		if (!result && (machine->names_known || way.by_list))
			return 0;
		if (result && !way.casts)
			return result;
		machine_close(machine);
		if (!result) {
			way.by_list = true;
		} else if (!looked) {
			looked = true;
			way.rings = rings_tracepoint();
		} else {
			way.casts = false;
		}
	}
}

void machine_leave(struct machine *machine)
{
	for (int i = 0; i < LINKS_KEPT; i++) {
		bpf_link__destroy(machine->links[i]);
		machine->links[i] = NULL;
	}
}

void machine_close(struct machine *machine)
{
	machine_leave(machine);
	ring_buffer__free(machine->ring);
	if (machine->counters)
		munmap((void *)machine->counters, sizeof(struct counters));
	bpf_object__close(machine->object);
	memset(machine, 0, sizeof(*machine));
}

void machine_consume_some(struct machine *machine)
{
	ring_buffer__consume(machine->ring);
}

void machine_consume(struct machine *machine)
{
	while (ring_buffer__consume(machine->ring) < 0)
		;
}

int machine_mark(struct machine *machine, int pidfd, uint32_t marks, uint32_t *image)
{
	struct process_mark mark = { .marks = marks };

	if (marks & PROCESS_TRACED)
		mark.image = __sync_fetch_and_add(&machine->counters->images, 1) + 1;
	*image = mark.image;
	return bpf_map_update_elem(machine->processes, &pidfd, &mark, BPF_ANY);
}

int machine_listen_to(struct machine *machine, int pidfd, bool followed, uint32_t *image)
{
	struct process_mark mark;

	*image = 0;
	if (bpf_map_lookup_elem(machine->processes, &pidfd, &mark))
		mark = (struct process_mark){ 0 };
	if (!(mark.marks & PROCESS_TRACED)) {
		if (!followed || mark.marks & PROCESS_OURS) {
			errno = EINVAL;
			return -1;
		}
		mark.image = __sync_fetch_and_add(&machine->counters->images, 1) + 1;
	}
	mark.marks = PROCESS_TRACED | (followed ? PROCESS_FOLLOWED : 0);
	*image = mark.image;
	return bpf_map_update_elem(machine->processes, &pidfd, &mark, BPF_ANY);
}

int machine_device(struct machine *machine, uint32_t device, bool wanted)
{
	uint32_t value = wanted ? 3 : 1;

	return bpf_map_update_elem(machine->devices, &device, &value, BPF_ANY);
}
