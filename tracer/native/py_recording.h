/* SPDX-License-Identifier: MIT */
/* The CPython type Recording: the reader's end of a ring, whoever writes to it. */
#ifndef IMPTRACE_PY_RECORDING_H
#define IMPTRACE_PY_RECORDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <sys/types.h>

#include "ring.h"

struct recording {
	PyObject_HEAD
	struct ring *ring;	/* owned; NULL once closed */
	int kick;		/* owned */
	int leave;		/* owned: tells a service's supervisor to end; -1 without */
	pid_t supervisor, program;
};

/* Owned by the module, which is never unloaded; NULL before recording_add_type. */
extern PyTypeObject *recording_type;

/* Makes the type and adds it to @module; false with an exception. */
bool recording_add_type(PyObject *module);

/* A recording with its ring and nothing running; NULL with an exception. */
struct recording *recording_new(size_t ring_size);

#endif
