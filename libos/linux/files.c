/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Files: there are the three that every program has, and they are the console. */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "libos/linux/console.h"
#include "libos/linux/linux.h"

#define DESCRIPTORS 3
#define IOV_LIMIT   1024 /* Linux: UIO_MAXIOV */

int64_t linux_read(struct linux_frame *f)
{
	return f->rdi == 0 ? linux_console_read(f->rsi, f->rdx) : -EBADF;
}

static bool is_output(uint64_t descriptor)
{
	return descriptor == 1 || descriptor == 2;
}

int64_t linux_write(struct linux_frame *f)
{
	if (!is_output(f->rdi))
		return -EBADF;
	return linux_console_write(f->rsi, f->rdx);
}

/* Piece by piece, until one comes out shorter than asked for. */
static int64_t for_each_piece(const struct linux_frame *f, int64_t (*transfer)(uint64_t address, uint64_t bytes))
{
	int64_t sum = 0;

	if (f->rdx > IOV_LIMIT)
		return -EINVAL;
	for (uint64_t i = 0; i < f->rdx; i++) {
		struct iovec v;
		int64_t done = -EFAULT;

		if (program_read(&v, f->rsi + i * sizeof v, sizeof v))
			done = v.iov_len == 0 ? 0 : transfer((uint64_t)v.iov_base, v.iov_len);
		if (done < 0)
			return sum > 0 ? sum : done;
		sum += done;
		if ((uint64_t)done < v.iov_len)
			break;
	}
	return sum;
}

int64_t linux_readv(struct linux_frame *f)
{
	return f->rdi == 0 ? for_each_piece(f, linux_console_read) : -EBADF;
}

int64_t linux_writev(struct linux_frame *f)
{
	return is_output(f->rdi) ? for_each_piece(f, linux_console_write) : -EBADF;
}

int64_t linux_close(struct linux_frame *f)
{
	return f->rdi < DESCRIPTORS ? 0 : -EBADF;
}

static int64_t describe(uint64_t descriptor, uint64_t address)
{
	const struct stat s = {.st_mode = S_IFCHR | 0620, .st_nlink = 1, .st_blksize = 1024};

	if (descriptor >= DESCRIPTORS)
		return -EBADF;
	return program_write(address, &s, sizeof s) ? 0 : -EFAULT;
}

int64_t linux_fstat(struct linux_frame *f)
{
	return describe(f->rdi, f->rsi);
}

int64_t linux_lseek(struct linux_frame *f)
{
	return f->rdi < DESCRIPTORS ? -ESPIPE : -EBADF;
}

/* A terminal as far as its size goes, which is all that the C library asks: it then hands over each line when it ends. */
int64_t linux_ioctl(struct linux_frame *f)
{
	const struct winsize size = {.ws_row = 24, .ws_col = 80};

	if (f->rdi >= DESCRIPTORS)
		return -EBADF;
	if (f->rsi != TIOCGWINSZ)
		return -ENOTTY;
	return program_write(f->rdx, &size, sizeof size) ? 0 : -EFAULT;
}

int64_t linux_fcntl(struct linux_frame *f)
{
	return f->rdi < DESCRIPTORS ? 0 : -EBADF;
}

/* No path leads anywhere. */
static int64_t no_file(uint64_t path)
{
	char first;

	return program_read(&first, path, 1) ? -ENOENT : -EFAULT;
}

int64_t linux_open(struct linux_frame *f)
{
	return no_file(f->rdi);
}
int64_t linux_openat(struct linux_frame *f)
{
	return no_file(f->rsi);
}
int64_t linux_access(struct linux_frame *f)
{
	return no_file(f->rdi);
}
int64_t linux_readlink(struct linux_frame *f)
{
	return no_file(f->rdi);
}

/* fstat of the newer kind: an empty path with AT_EMPTY_PATH means the descriptor itself. */
int64_t linux_newfstatat(struct linux_frame *f)
{
	char first;

	if (!program_read(&first, f->rsi, 1))
		return -EFAULT;
	return first == 0 && (f->r10 & AT_EMPTY_PATH) ? describe(f->rdi, f->rdx) : -ENOENT;
}
