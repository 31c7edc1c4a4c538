/* SPDX-License-Identifier: MIT */
#include "py_lists.h"

char **texts_of(PyObject *list)
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

bool read_signals(PyObject *list, sigset_t *mask)
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
