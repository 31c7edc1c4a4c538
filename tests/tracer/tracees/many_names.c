/* Asks for COUNT files that are not there, each once; exits with 7. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	char path[80];

	for (long i = 0; argc > 1 && i < atol(argv[1]); i++) {
		snprintf(path, sizeof(path), "/nonexistent/directory/%06ld/file-number-%ld", i / 1000, i);
		if (open(path, O_RDONLY) >= 0)
			return 1;
	}
	return 7;
}
