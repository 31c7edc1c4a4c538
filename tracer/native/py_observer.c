/* SPDX-License-Identifier: MIT */
/*
 * How the ptrace recorder, a loop in Python, shares with the notify recorder all that comes after
 * a tracee has stopped: what the call means, which path it names, what is recorded.
 */
#include "py_observer.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "filter.h"
#include "image.h"
#include "journal.h"
#include "mounts.h"
#include "observe.h"
#include "py_recording.h"
#include "settle.h"

/* linux/errno.h has them for the kernel only: the call starts again, or never was. */
enum { ERESTARTSYS = 512, ERESTART_RESTARTBLOCK = 516 };

enum { KEPT_MAX = 8 };

/* A call that is under way. */
struct staged {
	PyObject_HEAD
	struct staging staging;
	pid_t pid;		/* staging.process is valid while this process is known */
	bool open;		/* staging is to be committed or discarded */
};

struct observer {
	PyObject_HEAD
	struct recording *recording;	/* owned: what is observed goes to its ring */
	struct filter_options wanted;
	int reader;		/* a pidfd, the caller's */
};

static PyTypeObject *staged_type, *observer_type; /* owned by the module, never unloaded */
static bool in_use; /* there is one journal for each process */

/* Copies what the kernel wrote into @buffer; false with an exception. */
static bool read_info(PyObject *buffer, struct ptrace_syscall_info *info)
{
	Py_buffer view;
	bool is_whole;

	if (PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE))
		return false;
	is_whole = view.len >= (Py_ssize_t)sizeof(*info);
	if (is_whole)
		memcpy(info, view.buf, sizeof(*info));
	else
		PyErr_SetString(PyExc_ValueError, "too few bytes for a struct ptrace_syscall_info");
	PyBuffer_Release(&view);
	return is_whole;
}

static void staged_close(struct staged *self, const struct call_result *result)
{
	if (!self->open)
		return;
	self->open = false;
	if (result && process_known(self->pid) == self->staging.process)
		observe_commit(&self->staging, result);
	else
		observe_discard(&self->staging);
}

static void staged_dealloc(struct staged *self)
{
	PyTypeObject *type = Py_TYPE(self);

	staged_close(self, NULL);
	PyObject_Free(self);
	Py_DECREF(type);
}

PyDoc_STRVAR(staged_returned_doc,
"returned(info)\n\n"
"Record the call with the result that PTRACE_GET_SYSCALL_INFO gave at its exit. Nothing is\n"
"recorded of a call that a signal interrupted, since it will be made again.");

static PyObject *staged_returned(struct staged *self, PyObject *buffer)
{
	struct call_result result = { .end = CALL_RETURNED };
	struct ptrace_syscall_info info;

	if (!read_info(buffer, &info))
		return NULL;
	if (info.op != PTRACE_SYSCALL_INFO_EXIT)
		result.end = CALL_UNKNOWN;
	result.value = info.exit.rval;
	if (result.value <= -ERESTARTSYS && result.value >= -ERESTART_RESTARTBLOCK)
		staged_close(self, NULL);
	else
		staged_close(self, &result);
	Py_RETURN_NONE;
}

static PyObject *staged_executed(struct staged *self, PyObject *unused)
{
	static const struct call_result done = { .end = CALL_RETURNED };

	(void)unused;
	staged_close(self, &done);
	Py_RETURN_NONE;
}

static PyObject *staged_unknown(struct staged *self, PyObject *unused)
{
	static const struct call_result unknown = { .end = CALL_UNKNOWN };

	(void)unused;
	staged_close(self, &unknown);
	Py_RETURN_NONE;
}

static PyObject *staged_moves_names(struct staged *self, PyObject *unused)
{
	(void)unused;
	return PyBool_FromLong(self->open && observe_moves_names(&self->staging));
}

PyDoc_STRVAR(staged_moved_by_doc,
"moved_by(mover)\n\n"
"Count, as what may be wrong, a call that is made while that of `mover`, another one, gives other\n"
"names to what it names. Nothing is counted where the two have nothing to do with each other.");

static PyObject *staged_moved_by(struct staged *self, PyObject *mover)
{
	const struct staged *other = (struct staged *)mover;

	if (!PyObject_TypeCheck(mover, staged_type)) {
		PyErr_SetString(PyExc_TypeError, "another call is asked for");
		return NULL;
	}
	if (self->open && other->open && !self->staging.changed &&
	    observe_is_moved_by(&self->staging, &other->staging)) {
		self->staging.changed = true;
		journal_changed_path();
	}
	Py_RETURN_NONE;
}

static PyMethodDef staged_methods[] = {
	{ "returned", (PyCFunction)staged_returned, METH_O, staged_returned_doc },
	{ "executed", (PyCFunction)staged_executed, METH_NOARGS,
	  "Record the exec, whose new image has not made a call yet." },
	{ "unknown", (PyCFunction)staged_unknown, METH_NOARGS,
	  "Record the call, whose thread was killed before it returned." },
	{ "moves_names", (PyCFunction)staged_moves_names, METH_NOARGS,
	  "Whether the call renames a directory or a symbolic link." },
	{ "moved_by", (PyCFunction)staged_moved_by, METH_O, staged_moved_by_doc },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot staged_slots[] = {
	{ Py_tp_dealloc, staged_dealloc },
	{ Py_tp_methods, staged_methods },
	{ Py_tp_doc, "A call that a tracee is making; dropped, it is not recorded." },
	{ 0, NULL },
};

static PyType_Spec staged_spec = {
	.name = "imptrace.tracer._native.Staged",
	.basicsize = sizeof(struct staged),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.slots = staged_slots,
};

PyDoc_STRVAR(observer_doc,
"Observer(recording, *, reader, stats, writes_only, privileged, start_ns)\n\n"
"Writes what is observed in this process to the ring of `recording`, which another process reads;\n"
"`reader` is a pidfd of that one. One for each process.");

static PyObject *observer_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
	static char *names[] = { "recording", "reader", "stats", "writes_only", "privileged",
				 "start_ns", NULL };
	int reader, stats, writes_only, privileged;
	struct recording *recording;
	struct observer *self;
	unsigned long long start_ns;

	if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!$ipppK", names, recording_type,
					 &recording, &reader, &stats, &writes_only, &privileged,
					 &start_ns))
		return NULL;
	if (in_use || !recording->ring) {
		PyErr_SetString(PyExc_ValueError, "a process observes once, into an open recording");
		return NULL;
	}
	if (journal_open(recording->ring, recording->kick, reader, start_ns))
		return PyErr_NoMemory();
	observe_configure(&(struct observe_options){ .privileged = privileged, .stats = stats });
	self = (struct observer *)type->tp_alloc(type, 0);
	if (!self)
		return NULL;
	in_use = true;
	self->reader = reader;
	self->recording = (struct recording *)Py_NewRef(recording);
	self->wanted = (struct filter_options){ .stats = stats, .writes_only = writes_only };
	return (PyObject *)self;
}

static void observer_dealloc(struct observer *self)
{
	PyTypeObject *type = Py_TYPE(self);

	/* The journal goes on writing to the ring: it lives as long as the process. */
	type->tp_free(self);
	Py_DECREF(type);
}

static struct staged *stage_at(pid_t tid, const struct ptrace_syscall_info *info)
{
	struct syscall_site site = {
		.tid = tid, .arch = info->arch, .nr = (int)info->entry.nr
	};
	struct staged *staged = PyObject_New(struct staged, staged_type);

	if (!staged)
		return NULL;
	for (size_t i = 0; i < 6; i++)
		site.args[i] = info->entry.args[i];
	observe_entry(&site, &staged->staging);
	staged->open = staged->staging.process != NULL;
	staged->pid = staged->open ? staged->staging.process->pid : 0;
	return staged;
}

PyDoc_STRVAR(observer_entry_doc,
"entry(tid, info) -> Staged | None\n\n"
"Look at the call that thread `tid` is about to make; `info` is what PTRACE_GET_SYSCALL_INFO\n"
"gave. None: its result does not matter.");

static PyObject *observer_entry(struct observer *self, PyObject *args)
{
	struct ptrace_syscall_info info;
	uint64_t arguments[6];
	const struct call *call;
	struct staged *staged;
	PyObject *buffer;
	int tid;

	if (!PyArg_ParseTuple(args, "iO", &tid, &buffer) || !read_info(buffer, &info))
		return NULL;
	for (size_t i = 0; i < 6; i++)
		arguments[i] = info.entry.args[i];
	call = info.op == PTRACE_SYSCALL_INFO_ENTRY ? call_find(info.arch, (int)info.entry.nr) : NULL;
	/* A listener is refused under a filter of ours only. */
	if (!call || call->kind == CALL_LISTENER || !filter_wants(&self->wanted, call, arguments))
		Py_RETURN_NONE;
	staged = stage_at(tid, &info);
	if (staged && !staged->staging.count) {
		Py_DECREF(staged);
		Py_RETURN_NONE;
	}
	return (PyObject *)staged;
}

static PyObject *observer_born(struct observer *self, PyObject *tid)
{
	(void)self;
	process_of((pid_t)PyLong_AsLong(tid));
	if (PyErr_Occurred())
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *observer_attached(struct observer *self, PyObject *pid)
{
	struct process *process;

	(void)self;
	process = process_of((pid_t)PyLong_AsLong(pid));
	if (PyErr_Occurred())
		return NULL;
	if (process)
		image_ensure(process);
	Py_RETURN_NONE;
}

static PyObject *observer_executed(struct observer *self, PyObject *pid)
{
	struct process *process;

	(void)self;
	process = process_of((pid_t)PyLong_AsLong(pid));
	if (PyErr_Occurred())
		return NULL;
	if (process)
		observe_unseen_exec(process);
	Py_RETURN_NONE;
}

static PyObject *observer_holds_open(struct observer *self, PyObject *args)
{
	struct holding holding = { 0 };
	int pid;

	(void)self;
	if (!PyArg_ParseTuple(args, "iii", &pid, &holding.fd, &holding.open_flags))
		return NULL;
	holding.process = process_of(pid);
	if (holding.process)
		observe_holding(&holding);
	Py_RETURN_NONE;
}

static PyObject *observer_holds_mapped(struct observer *self, PyObject *args)
{
	struct holding holding = { .fd = -1 };
	int pid, writable;

	(void)self;
	if (!PyArg_ParseTuple(args, "iyp", &pid, &holding.path, &writable))
		return NULL;
	holding.writable = writable;
	holding.process = process_of(pid);
	if (holding.process)
		observe_holding(&holding);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(observer_ended_doc,
"ended(tid, status)\n\nThread `tid` ended, and with it its process if it is the last of it.");

static PyObject *observer_ended(struct observer *self, PyObject *args)
{
	struct process *process;
	int tid, status;

	(void)self;
	if (!PyArg_ParseTuple(args, "ii", &tid, &status))
		return NULL;
	process = process_known(tid);
	if (process)
		observe_exit(process, status);
	else
		process_thread_exits(tid);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(observer_program_ended_doc,
"program_ended(pid, status, left)\n\n"
"The program that was launched ended; `left` others that it started still run.");

static PyObject *observer_program_ended(struct observer *self, PyObject *args)
{
	struct process *process;
	uint32_t image = 0;
	int pid, status;
	unsigned int left;

	(void)self;
	if (!PyArg_ParseTuple(args, "iiI", &pid, &status, &left))
		return NULL;
	process = process_known(pid);
	if (process) {
		image = process->image;
		observe_exit(process, status);
	}
	observe_flush();
	journal_exit(RECORD_ROOT_EXITED, image, status, left);
	Py_RETURN_NONE;
}

static PyObject *observer_program_stopped(struct observer *self, PyObject *status)
{
	int number = (int)PyLong_AsLong(status);

	(void)self;
	if (PyErr_Occurred())
		return NULL;
	journal_exit(RECORD_ROOT_STOPPED, 0, number, 0);
	Py_RETURN_NONE;
}

static PyObject *observer_signalled(struct observer *self, PyObject *number)
{
	long value = PyLong_AsLong(number);

	(void)self;
	if (PyErr_Occurred())
		return NULL;
	journal_signalled((int)value);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(observer_settle_doc,
"settle(name, kept)\n\n"
"Close every descriptor but those of the list `kept` and what observing needs, leave terminal and\n"
"directory, take a name that whoever kills `imptrace` by name does not hit, and end with the parent.\n"
"To be called before anything is observed.");

static PyObject *observer_settle(struct observer *self, PyObject *args)
{
	int kept[KEPT_MAX] = { self->recording->kick, self->reader };
	const char *name;
	PyObject *list;
	Py_ssize_t count;

	if (!PyArg_ParseTuple(args, "yO!", &name, &PyList_Type, &list))
		return NULL;
	count = PyList_GET_SIZE(list);
	if (count > KEPT_MAX - 2) {
		PyErr_SetString(PyExc_ValueError, "too many descriptors");
		return NULL;
	}
	for (Py_ssize_t i = 0; i < count; i++)
		kept[2 + i] = (int)PyLong_AsLong(PyList_GET_ITEM(list, i));
	if (PyErr_Occurred())
		return NULL;
	settle(name, kept, 2 + (size_t)count);
	/* Even if it waits for a file system just then: tracees would wait with it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mounts_host();
	Py_RETURN_NONE;
}

static PyObject *observer_uses_io_uring(struct observer *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	journal_count(RECORD_WARNING, 0, WARN_IO_URING);
	Py_RETURN_NONE;
}

static PyObject *observer_flush(struct observer *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	observe_flush();
	Py_RETURN_NONE;
}

static PyObject *observer_close(struct observer *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	observe_flush();
	journal_exit(RECORD_ALL_GONE, 0, -1, 0);
	Py_RETURN_NONE;
}

static PyMethodDef observer_methods[] = {
	{ "entry", (PyCFunction)observer_entry, METH_VARARGS, observer_entry_doc },
	{ "born", (PyCFunction)observer_born, METH_O,
	  "A tracee has started a process or thread: who its parent is can be seen now." },
	{ "attached", (PyCFunction)observer_attached, METH_O, "A process is traced from now on." },
	{ "executed", (PyCFunction)observer_executed, METH_O,
	  "A process has executed something unknown." },
	{ "holds_open", (PyCFunction)observer_holds_open, METH_VARARGS,
	  "holds_open(pid, fd, flags): a process that was attached to has this descriptor." },
	{ "holds_mapped", (PyCFunction)observer_holds_mapped, METH_VARARGS,
	  "holds_mapped(pid, path, writable): the same for a file in its memory." },
	{ "ended", (PyCFunction)observer_ended, METH_VARARGS, observer_ended_doc },
	{ "program_ended", (PyCFunction)observer_program_ended, METH_VARARGS,
	  observer_program_ended_doc },
	{ "program_stopped", (PyCFunction)observer_program_stopped, METH_O,
	  "The program that was launched was stopped, with this wait status." },
	{ "signalled", (PyCFunction)observer_signalled, METH_O,
	  "This process got a signal, which nobody sends to it alone." },
	{ "settle", (PyCFunction)observer_settle, METH_VARARGS, observer_settle_doc },
	{ "uses_io_uring", (PyCFunction)observer_uses_io_uring, METH_NOARGS,
	  "A tracee uses io_uring, whose operations are not seen." },
	{ "flush", (PyCFunction)observer_flush, METH_NOARGS, "Write counts that were held back." },
	{ "close", (PyCFunction)observer_close, METH_NOARGS, "Nothing more will be observed." },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot observer_slots[] = {
	{ Py_tp_new, observer_new },
	{ Py_tp_dealloc, observer_dealloc },
	{ Py_tp_methods, observer_methods },
	{ Py_tp_doc, (void *)observer_doc },
	{ 0, NULL },
};

static PyType_Spec observer_spec = {
	.name = "imptrace.tracer._native.Observer",
	.basicsize = sizeof(struct observer),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = observer_slots,
};

bool observer_add_types(PyObject *module)
{
	staged_type = (PyTypeObject *)PyType_FromSpec(&staged_spec);
	observer_type = (PyTypeObject *)PyType_FromSpec(&observer_spec);
	return staged_type && observer_type &&
	       !PyModule_AddObjectRef(module, "Staged", (PyObject *)staged_type) &&
	       !PyModule_AddObjectRef(module, "Observer", (PyObject *)observer_type);
}
