/* SPDX-License-Identifier: MIT */
#include "py_recording.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { READ_MAX = 1 << 20 };

PyTypeObject *recording_type;

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

PyDoc_STRVAR(recording_signals_doc,
"signals(number) -> int\n\n"
"How often the supervisor got this signal, which nobody sends to it alone.");

static PyObject *recording_signals(struct recording *self, PyObject *args)
{
	int number;

	if (!PyArg_ParseTuple(args, "i", &number))
		return NULL;
	if (!self->ring || number < 0 || number >= RING_SIGNALS)
		return PyLong_FromLong(0);
	return PyLong_FromUnsignedLong(atomic_load(&self->ring->signals[number]));
}

static PyObject *recording_pid(struct recording *self, void *which)
{
	return PyLong_FromLong(which ? self->program : self->supervisor);
}

static PyMethodDef recording_methods[] = {
	{ "read", (PyCFunction)recording_read, METH_VARARGS, recording_read_doc },
	{ "signals", (PyCFunction)recording_signals, METH_VARARGS, recording_signals_doc },
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
	.name = "imptrace.tracer._native.Recording",
	.basicsize = sizeof(struct recording),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.slots = recording_slots,
};

bool recording_add_type(PyObject *module)
{
	recording_type = (PyTypeObject *)PyType_FromSpec(&recording_spec);
	return recording_type &&
	       !PyModule_AddObjectRef(module, "Recording", (PyObject *)recording_type);
}

struct recording *recording_new(size_t ring_size)
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
		PyErr_SetFromErrno(PyExc_OSError);
		Py_DECREF(self);
		return NULL;
	}
	return self;
}
