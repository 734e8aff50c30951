/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Files: there are the three that every program has, and they are the console. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "libos/linux/console.h"
#include "libos/linux/linux.h"

#define DESCRIPTORS 3
#define IOV_LIMIT   1024 /* Linux: UIO_MAXIOV */

int64_t linux_read(struct linux_frame *f)
{
	return f->rdi == 0 ? console_read((void *)f->rsi, f->rdx) : -EBADF;
}

static bool is_output(uint64_t descriptor)
{
	return descriptor == 1 || descriptor == 2;
}

int64_t linux_write(struct linux_frame *f)
{
	if (!is_output(f->rdi))
		return -EBADF;
	linux_console_write((const char *)f->rsi, f->rdx);
	return (int64_t)f->rdx;
}

int64_t linux_readv(struct linux_frame *f)
{
	const struct iovec *v = (const struct iovec *)f->rsi;
	int64_t sum = 0;

	if (f->rdi != 0)
		return -EBADF;
	if (f->rdx > IOV_LIMIT)
		return -EINVAL;
	for (uint64_t i = 0; i < f->rdx; i++) {
		int64_t got = v[i].iov_len == 0 ? 0 : console_read(v[i].iov_base, v[i].iov_len);

		if (got < 0)
			return sum > 0 ? sum : got;
		sum += got;
		if ((uint64_t)got < v[i].iov_len && got != 0)
			break;
	}
	return sum;
}

int64_t linux_writev(struct linux_frame *f)
{
	const struct iovec *v = (const struct iovec *)f->rsi;
	int64_t sum = 0;

	if (!is_output(f->rdi))
		return -EBADF;
	if (f->rdx > IOV_LIMIT)
		return -EINVAL;
	for (uint64_t i = 0; i < f->rdx; i++) {
		linux_console_write(v[i].iov_base, v[i].iov_len);
		sum += (int64_t)v[i].iov_len;
	}
	return sum;
}

int64_t linux_close(struct linux_frame *f)
{
	return f->rdi < DESCRIPTORS ? 0 : -EBADF;
}

int64_t linux_fstat(struct linux_frame *f)
{
	struct stat *s = (struct stat *)f->rsi;

	if (f->rdi >= DESCRIPTORS)
		return -EBADF;
	memset(s, 0, sizeof *s);
	s->st_mode = S_IFCHR | 0620;
	s->st_nlink = 1;
	s->st_blksize = 1024;
	return 0;
}

int64_t linux_lseek(struct linux_frame *f)
{
	return f->rdi < DESCRIPTORS ? -ESPIPE : -EBADF;
}

/* A terminal as far as its size goes, which is all that the C library asks: it then hands over each line when it ends. */
int64_t linux_ioctl(struct linux_frame *f)
{
	if (f->rdi >= DESCRIPTORS)
		return -EBADF;
	if (f->rsi != TIOCGWINSZ)
		return -ENOTTY;
	*(struct winsize *)f->rdx = (struct winsize){.ws_row = 24, .ws_col = 80};
	return 0;
}

int64_t linux_fcntl(struct linux_frame *f)
{
	return f->rdi < DESCRIPTORS ? 0 : -EBADF;
}

static int64_t no_file(struct linux_frame *f)
{
	(void)f;
	return -ENOENT;
}

int64_t linux_open(struct linux_frame *f)
{
	return no_file(f);
}
int64_t linux_openat(struct linux_frame *f)
{
	return no_file(f);
}
int64_t linux_access(struct linux_frame *f)
{
	return no_file(f);
}
int64_t linux_readlink(struct linux_frame *f)
{
	return no_file(f);
}

/* fstat of the newer kind: an empty path with AT_EMPTY_PATH means the descriptor itself. */
int64_t linux_newfstatat(struct linux_frame *f)
{
	const char *path = (const char *)f->rsi;

	if (path == NULL || path[0] != 0)
		return -ENOENT;
	f->rsi = f->rdx;
	return linux_fstat(f);
}
