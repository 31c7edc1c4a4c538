/* SPDX-License-Identifier: MIT */
/* Lists of Python's as C has them. */
#ifndef IMPTRACE_PY_LISTS_H
#define IMPTRACE_PY_LISTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <signal.h>
#include <stdbool.h>

/*
 * A NULL-terminated array of the texts of a list of bytes, which must outlive it; the array is the
 * caller's to free with PyMem_Free. NULL with an exception.
 */
char **texts_of(PyObject *list);

/* Reads a list of numbers of signals; false with an exception. */
bool read_signals(PyObject *list, sigset_t *mask);

#endif
