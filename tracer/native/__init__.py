"""The C core that every recorder with a stopped tracee shares, and the reader of its ring."""
