/* SPDX-License-Identifier: MIT */
#include "py_asked.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "py_lists.h"
#include "start.h"
#include "witness.h"

enum { LINE_MAX_ = 256, ANSWER_S = 3, QUESTION_MAX = 64 };

struct asked {
	PyObject_HEAD
	struct witness witness;
	int socket, pidfd;	/* -1: closed, ended */
	pid_t program;
	struct sockaddr_un place;
	char question[QUESTION_MAX + 1], answer[LINE_MAX_ + 1], wanted[QUESTION_MAX + 1];
};

/*
 * The program's process asks by itself: whoever answers knows from the kernel which one it is. Its
 * end of the connection does not outlast the exec; ours is the same one.
 */
static int ask(void *context)
{
	struct asked *self = context;
	size_t length = strlen(self->question);

	if (connect(self->socket, (struct sockaddr *)&self->place, sizeof(self->place)))
		return -1;
	return write(self->socket, self->question, length) == (ssize_t)length ? 0 : -1;
}

/* Takes the line of the answer, and nothing behind it. */
static int take_answer(void *context, int pidfd)
{
	struct asked *self = context;
	size_t length = 0;
	ssize_t got;

	(void)pidfd;
	do {
		got = recv(self->socket, self->answer + length, 1, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got ? errno : ECONNRESET;
			return -1;
		}
	} while (self->answer[length++] != '\n' && length < LINE_MAX_);
	if (!strncmp(self->answer, self->wanted, strlen(self->wanted)))
		return 0;
	errno = EACCES;
	return -1;
}

static bool prepare(struct asked *self)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };

	self->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (self->socket < 0 ||
	    setsockopt(self->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(self->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return false;
	return self->witness.pid || !witness_start(&self->witness);
}

static void release(struct asked *self)
{
	if (self->socket >= 0)
		close(self->socket);
	if (self->pidfd >= 0)
		close(self->pidfd);
	self->socket = self->pidfd = -1;
	witness_end(&self->witness);
}

static int asked_init(struct asked *self, PyObject *args, PyObject *keywords)
{
	static char *names[] = { "place", "question", "wanted", NULL };
	const char *place, *question, *wanted;

	self->socket = self->pidfd = -1;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "yyy", names, &place, &question, &wanted))
		return -1;
	if (strlen(place) >= sizeof(self->place.sun_path) || strlen(question) > QUESTION_MAX ||
	    strlen(wanted) > QUESTION_MAX) {
		PyErr_SetString(PyExc_ValueError, "too long");
		return -1;
	}
	self->place.sun_family = AF_UNIX;
	strcpy(self->place.sun_path, place);
	strcpy(self->question, question);
	strcpy(self->wanted, wanted);
	return 0;
}

static PyObject *failure(const char *stage)
{
	PyErr_SetFromErrnoWithFilename(PyExc_OSError, stage);
	return NULL;
}

PyDoc_STRVAR(launch_doc,
"launch(path, argv, environ, blocked_signals) -> pid\n\n"
"Starts a program once its process has asked, and the answer is the wanted one. Must be called\n"
"while this process has one thread. Raises OSError, whose filename is the stage that failed:\n"
"'introduced' and 'filter' (it was not asked, or refused), 'exec', 'start'.");

static PyObject *asked_launch(struct asked *self, PyObject *args)
{
	struct start start = { .introduce = ask };
	char **words, **variables = NULL;
	PyObject *argv, *environ, *blocked;
	const char *stage = "start";

	if (!PyArg_ParseTuple(args, "yO!O!O!", &start.path, &PyList_Type, &argv, &PyList_Type,
			      &environ, &PyList_Type, &blocked))
		return NULL;
	if (self->program || self->socket >= 0) {
		PyErr_SetString(PyExc_ValueError, "it was launched");
		return NULL;
	}
	words = texts_of(argv);
	variables = words ? texts_of(environ) : NULL;
	if (variables && read_signals(blocked, &start.mask)) {
		start.argv = words;
		start.envp = variables;
		memset(self->answer, 0, sizeof(self->answer));
		self->program = prepare(self) ? start_program(&start, take_answer, self,
							      &self->pidfd, &stage) : -1;
		if (self->program < 0) {
			failure(stage);
			self->program = 0;
			release(self);
		}
	}
	PyMem_Free(words);
	PyMem_Free(variables);
	return PyErr_Occurred() ? NULL : PyLong_FromLong(self->program);
}

PyDoc_STRVAR(look_doc,
"look() -> (whether it ended, wait status) or None\n\n"
"What became of the program since the last look: it was stopped, or it ended.");

static PyObject *asked_look(struct asked *self, PyObject *unused)
{
	int status;
	pid_t pid;

	(void)unused;
	if (!self->program)
		Py_RETURN_NONE;
	pid = waitpid(self->program, &status, WNOHANG | WUNTRACED);
	if (!pid || (pid < 0 && errno == EINTR))
		Py_RETURN_NONE;
	if (pid > 0 && WIFSTOPPED(status)) {
		witness_continuation(&self->witness, self->program);
		return Py_BuildValue("Oi", Py_False, status);
	}
	self->program = 0;
	return Py_BuildValue("Oi", Py_True, pid > 0 ? status : 0);
}

PyDoc_STRVAR(signals_doc,
"signals(number) -> count\n\nHow often the process group of the program got a signal.");

static PyObject *asked_signals(struct asked *self, PyObject *args)
{
	int number;

	if (!PyArg_ParseTuple(args, "i", &number))
		return NULL;
	return PyLong_FromUnsignedLong(witness_count(&self->witness, number));
}

static PyObject *asked_close(struct asked *self, PyObject *unused)
{
	(void)unused;
	release(self);
	Py_RETURN_NONE;
}

static PyObject *asked_answer(struct asked *self, void *unused)
{
	(void)unused;
	return PyBytes_FromString(self->answer);
}

static PyObject *asked_socket(struct asked *self, void *unused)
{
	(void)unused;
	return PyLong_FromLong(self->socket);
}

static PyObject *asked_pidfd(struct asked *self, void *unused)
{
	(void)unused;
	return PyLong_FromLong(self->pidfd);
}

static PyObject *asked_witness(struct asked *self, void *unused)
{
	(void)unused;
	return PyLong_FromLong(self->witness.pid);
}

static void asked_dealloc(struct asked *self)
{
	PyTypeObject *type = Py_TYPE(self);

	release(self);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMethodDef methods[] = {
	{ "launch", (PyCFunction)(void (*)(void))asked_launch, METH_VARARGS, launch_doc },
	{ "look", (PyCFunction)(void (*)(void))asked_look, METH_NOARGS, look_doc },
	{ "signals", (PyCFunction)(void (*)(void))asked_signals, METH_VARARGS, signals_doc },
	{ "close", (PyCFunction)(void (*)(void))asked_close, METH_NOARGS,
	  "close()\n\nAsks no longer. The program goes on." },
	{ 0 },
};

static PyGetSetDef properties[] = {
	{ "answer", (getter)(void (*)(void))asked_answer, NULL, "The line that was answered.", NULL },
	{ "socket", (getter)(void (*)(void))asked_socket, NULL, "The connection.", NULL },
	{ "pidfd", (getter)(void (*)(void))asked_pidfd, NULL, "The program's.", NULL },
	{ "witness", (getter)(void (*)(void))asked_witness, NULL,
	  "The process that counts signals.", NULL },
	{ 0 },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc, (void *)"Asked(place, question, wanted): who is asked, what, and the answer that "
			     "lets the program start." },
	{ Py_tp_init, asked_init },
	{ Py_tp_new, PyType_GenericNew },
	{ Py_tp_dealloc, asked_dealloc },
	{ Py_tp_methods, methods },
	{ Py_tp_getset, properties },
	{ 0 },
};

static PyType_Spec spec = {
	.name = "imptrace.tracer._native.Asked",
	.basicsize = sizeof(struct asked),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = slots,
};

bool asked_add_type(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&spec);
	bool added = type && !PyModule_AddObjectRef(module, "Asked", type);

	Py_XDECREF(type);
	return added;
}
