/* SPDX-License-Identifier: MIT */
/*
 * The CPython module: launch(), which gives a Recording, and what tests need to compare layouts.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "calls.h"
#include "records.h"
#include "shim.h"
#include "supervise.h"

enum { READ_MAX = 1 << 20, SERVICE_LISTENERS = 4096 };

struct recording {
	PyObject_HEAD
	struct ring *ring;	/* owned; NULL once closed */
	int kick;		/* owned */
	int leave;		/* owned: tells a service's supervisor to end; -1 without */
	pid_t supervisor, program;
};

static void recording_release(struct recording *self)
{
	if (!self->ring)
		return;
	/* From now on the supervisor answers without recording. */
	atomic_store(&self->ring->reader_gone, 1);
	ring_free(self->ring);
	self->ring = NULL;
	close(self->kick);
	if (self->leave >= 0)
		close(self->leave);
}

static PyObject *recording_close(struct recording *self, PyObject *unused)
{
	(void)unused;
	recording_release(self);
	Py_RETURN_NONE;
}

static void recording_dealloc(struct recording *self)
{
	PyTypeObject *type = Py_TYPE(self);

	recording_release(self);
	type->tp_free(self);
	Py_DECREF(type);
}

PyDoc_STRVAR(recording_read_doc,
"read(timeout_ms) -> bytes\n\n"
"Whole records, in order; empty if none came within timeout_ms. Returns early only when the\n"
"supervisor asks for it: the ring fills, or something happened to the program itself.");

static PyObject *recording_read(struct recording *self, PyObject *args)
{
	struct pollfd kicked = { .events = POLLIN };
	PyObject *bytes;
	uint64_t count;
	size_t got;
	int timeout;

	if (!PyArg_ParseTuple(args, "i", &timeout))
		return NULL;
	if (!self->ring) {
		PyErr_SetString(PyExc_ValueError, "the recording is closed");
		return NULL;
	}
	kicked.fd = self->kick;
	Py_BEGIN_ALLOW_THREADS
	if (poll(&kicked, 1, timeout) > 0 && read(self->kick, &count, sizeof(count)) < 0)
		count = 0; /* somebody else took it: look at the ring all the same */
	Py_END_ALLOW_THREADS
	got = ring_fill(self->ring);
	bytes = PyBytes_FromStringAndSize(NULL, got < READ_MAX ? (Py_ssize_t)got : READ_MAX);
	if (!bytes)
		return NULL;
	got = ring_read(self->ring, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
	_PyBytes_Resize(&bytes, (Py_ssize_t)got);
	return bytes;
}

static PyObject *recording_leave(struct recording *self, PyObject *unused)
{
	const uint64_t one = 1;

	(void)unused;
	if (self->leave >= 0 && write(self->leave, &one, sizeof(one)) < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_NONE;
}

static PyObject *recording_pid(struct recording *self, void *which)
{
	return PyLong_FromLong(which ? self->program : self->supervisor);
}

static PyMethodDef recording_methods[] = {
	{ "read", (PyCFunction)recording_read, METH_VARARGS, recording_read_doc },
	{ "leave", (PyCFunction)recording_leave, METH_NOARGS,
	  "Let no more processes of the service in, and end when none is left." },
	{ "close", (PyCFunction)recording_close, METH_NOARGS,
	  "Stop reading; the supervisor goes on answering." },
	{ NULL, NULL, 0, NULL },
};

static PyGetSetDef recording_getset[] = {
	{ "supervisor", (getter)recording_pid, NULL, "The supervisor's pid.", NULL },
	{ "program", (getter)recording_pid, NULL, "The program's pid.", (void *)1 },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot recording_slots[] = {
	{ Py_tp_dealloc, recording_dealloc },
	{ Py_tp_methods, recording_methods },
	{ Py_tp_getset, recording_getset },
	{ Py_tp_doc, "A program that runs under the notify recorder." },
	{ 0, NULL },
};

static PyType_Spec recording_spec = {
	.name = "imptrace.tracer._notify.Recording",
	.basicsize = sizeof(struct recording),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.slots = recording_slots,
};

static PyTypeObject *recording_type; /* owned by the module, which is never unloaded */

/* A NULL-terminated array of the texts of a list of bytes; the array is the caller's to free. */
static char **texts_of(PyObject *list)
{
	Py_ssize_t count = PyList_Size(list);
	char **texts = count < 0 ? NULL : PyMem_Calloc((size_t)count + 1, sizeof(*texts));

	if (!texts) {
		if (!PyErr_Occurred())
			PyErr_NoMemory();
		return NULL;
	}
	for (Py_ssize_t i = 0; i < count; i++) {
		texts[i] = PyBytes_AsString(PyList_GET_ITEM(list, i));
		if (!texts[i]) {
			PyMem_Free(texts);
			return NULL;
		}
	}
	return texts;
}

static bool read_user(PyObject *user, struct launch *launch, gid_t *groups, size_t size)
{
	PyObject *list;
	unsigned int uid, gid;

	if (user == Py_None)
		return true;
	if (!PyArg_ParseTuple(user, "IIO!", &uid, &gid, &PyList_Type, &list))
		return false;
	if ((size_t)PyList_GET_SIZE(list) > size) {
		PyErr_SetString(PyExc_ValueError, "too many groups");
		return false;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		groups[i] = (gid_t)PyLong_AsUnsignedLong(PyList_GET_ITEM(list, i));
	launch->change_user = true;
	launch->uid = uid;
	launch->gid = gid;
	launch->groups = groups;
	launch->group_count = (size_t)PyList_GET_SIZE(list);
	return !PyErr_Occurred();
}

static bool read_signals(PyObject *list, sigset_t *mask)
{
	sigemptyset(mask);
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
		long number = PyLong_AsLong(PyList_GET_ITEM(list, i));

		if (number == -1 && PyErr_Occurred())
			return false;
		if (sigaddset(mask, (int)number)) {
			PyErr_SetString(PyExc_ValueError, "not a signal");
			return false;
		}
	}
	return true;
}

static PyObject *failure(enum launch_stage stage)
{
	static const char *const names[] = { "start", "supervisor", "filter", "user", "exec" };
	PyObject *args = Py_BuildValue("iss", errno, strerror(errno), names[stage]);

	if (args) {
		PyErr_SetObject(PyExc_OSError, args);
		Py_DECREF(args);
	}
	return NULL;
}

/* A recording with its ring and nothing running; NULL with an exception. */
static struct recording *new_recording(size_t ring_size)
{
	struct recording *self;

	if (ring_size < 4096 || ring_size & (ring_size - 1)) {
		PyErr_SetString(PyExc_ValueError, "ring_size must be a power of two");
		return NULL;
	}
	self = (struct recording *)recording_type->tp_alloc(recording_type, 0);
	if (!self)
		return NULL;
	self->leave = -1;
	self->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->ring = ring_new(ring_size);
	if (self->kick < 0 || !self->ring) {
		failure(STAGE_SUPERVISOR);
		Py_DECREF(self);
		return NULL;
	}
	return self;
}

/* Starts what @launch says and wraps it up; NULL with an exception. */
static PyObject *start(const struct launch *launch, size_t ring_size)
{
	struct recording *self = new_recording(ring_size);
	struct launched launched;

	if (!self)
		return NULL;
	if (launch_program(launch, self->ring, self->kick, &launched)) {
		failure(launched.failed);
		Py_DECREF(self);
		return NULL;
	}
	self->supervisor = launched.supervisor;
	self->program = launched.program;
	return (PyObject *)self;
}

PyDoc_STRVAR(launch_doc,
"launch(path, argv, environ, *, user, blocked_signals, stats, writes_only, io_uring,\n"
"       adopt_orphans, privileged, start_ns, ring_size) -> Recording\n\n"
"Start a program (path: bytes, argv and environ: lists of bytes) under the notify recorder.\n"
"user: None, or (uid, gid, [groups]). blocked_signals: the program's signal mask.\n"
"ring_size: a power of two. Must be called while the process has one thread. Raises OSError(errno, text, stage), stage being one of 'supervisor',\n"
"'filter', 'user', 'exec'.");

static PyObject *notify_launch(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = { "path",	"argv",		 "environ",	"user",
				 "blocked_signals", "stats",	 "writes_only", "io_uring",
				 "adopt_orphans",   "privileged", "start_ns",	"ring_size",
				 NULL };
	int stats, writes_only, io_uring, adopt_orphans, privileged;
	struct filter_options filter;
	struct launch launch = { .filter = &filter };
	gid_t groups[256];
	PyObject *argv, *environ, *user, *blocked, *result = NULL;
	unsigned long long start_ns;
	Py_ssize_t ring_size;
	char **argv_texts, **environ_texts;

	(void)module;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "yO!O!$OO!pppppKn", names, &launch.path,
					 &PyList_Type, &argv, &PyList_Type, &environ, &user,
					 &PyList_Type, &blocked, &stats, &writes_only, &io_uring, &adopt_orphans,
					 &privileged, &start_ns, &ring_size))
		return NULL;
	filter = (struct filter_options){ stats, writes_only, io_uring };
	launch.adopt_orphans = adopt_orphans;
	launch.privileged = privileged;
	launch.start = start_ns;
	if (!read_user(user, &launch, groups, sizeof(groups) / sizeof(*groups)) ||
	    !read_signals(blocked, &launch.mask))
		return NULL;
	argv_texts = texts_of(argv);
	environ_texts = argv_texts ? texts_of(environ) : NULL;
	if (environ_texts) {
		launch.argv = argv_texts;
		launch.envp = environ_texts;
		result = start(&launch, (size_t)ring_size);
	}
	PyMem_Free(argv_texts);
	PyMem_Free(environ_texts);
	return result;
}

PyDoc_STRVAR(serve_doc,
"serve(door, unit, adopted, page, *, user_manager, stats, writes_only, io_uring, privileged,\n"
"      start_ns, ring_size) -> Recording\n\n"
"Answer the processes of a systemd unit, which bring their listeners to the listening socket\n"
"`door`. adopted: list of listeners that another supervisor has left. page: a memfd of\n"
"SERVICE_PAGE bytes that outlives this one. The descriptors stay the caller's.");

static PyObject *notify_serve(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = { "door",     "unit",	   "adopted",  "page",
				 "user_manager", "stats",    "writes_only", "io_uring",
				 "privileged", "start_ns", "ring_size", NULL };
	int user_manager, stats, writes_only, io_uring, privileged, adopted[SERVICE_LISTENERS];
	struct door door = { 0 };
	struct service service = { .door = &door, .adopted = adopted };
	struct recording *self;
	unsigned long long start_ns;
	Py_ssize_t ring_size;
	PyObject *list;

	(void)module;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "isO!i$pppppKn", names, &door.socket,
					 &door.unit, &PyList_Type, &list, &service.page,
					 &user_manager, &stats, &writes_only, &io_uring,
					 &privileged, &start_ns, &ring_size))
		return NULL;
	if (PyList_GET_SIZE(list) > SERVICE_LISTENERS) {
		PyErr_SetString(PyExc_ValueError, "too many listeners");
		return NULL;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		adopted[i] = (int)PyLong_AsLong(PyList_GET_ITEM(list, i));
	if (PyErr_Occurred())
		return NULL;
	door.user_manager = user_manager;
	door.options = (stats ? SHIM_STATS : 0U) | (writes_only ? SHIM_WRITES_ONLY : 0U) |
		       (io_uring ? SHIM_IO_URING : 0U);
	service.adopted_count = (size_t)PyList_GET_SIZE(list);
	service.privileged = privileged;
	service.start = start_ns;
	self = new_recording((size_t)ring_size);
	if (!self)
		return NULL;
	self->leave = service.leave = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->supervisor = service.leave < 0 ? -1 : launch_service(&service, self->ring, self->kick);
	if (self->supervisor < 0) {
		failure(STAGE_SUPERVISOR);
		Py_DECREF(self);
		return NULL;
	}
	return (PyObject *)self;
}

static PyObject *notify_layout(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return Py_BuildValue("{s:n,s:n,s:n,s:n,s:n,s:n}", "access", sizeof(struct access_record),
			     "state", sizeof(struct state_record), "repeat",
			     sizeof(struct repeat_record), "process", sizeof(struct process_record),
			     "exit", sizeof(struct exit_record), "count",
			     sizeof(struct count_record));
}

static PyObject *notify_calls(PyObject *module, PyObject *unused)
{
	PyObject *list = PyList_New(0);

	(void)module;
	(void)unused;
	for (size_t i = 0; list && i < calls_count; i++) {
		PyObject *row = Py_BuildValue("siii", calls[i].name, calls[i].x86_64, calls[i].i386,
					      calls[i].aarch64);

		if (!row || PyList_Append(list, row))
			Py_CLEAR(list);
		Py_XDECREF(row);
	}
	return list;
}

static PyMethodDef methods[] = {
	{ "launch", (PyCFunction)(void (*)(void))notify_launch, METH_VARARGS | METH_KEYWORDS,
	  launch_doc },
	{ "serve", (PyCFunction)(void (*)(void))notify_serve, METH_VARARGS | METH_KEYWORDS,
	  serve_doc },
	{ "layout", notify_layout, METH_NOARGS, "Sizes of the records, by name." },
	{ "calls", notify_calls, METH_NOARGS,
	  "The traced calls: (name, number on x86-64, i386, aarch64), -1 where there is none." },
	{ NULL, NULL, 0, NULL },
};

static struct PyModuleDef definition = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "_notify",
	.m_doc = "The notify recorder: seccomp user notification, answered by a process of its own.",
	.m_size = -1,
	.m_methods = methods,
};

PyMODINIT_FUNC PyInit__notify(void)
{
	PyObject *module = PyModule_Create(&definition);

	if (!module)
		return NULL;
	recording_type = (PyTypeObject *)PyType_FromSpec(&recording_spec);
	if (!recording_type || PyModule_AddObjectRef(module, "Recording", (PyObject *)recording_type)) {
		Py_DECREF(module);
		return NULL;
	}
	return module;
}
