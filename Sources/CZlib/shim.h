#pragma once
#include <zlib.h>

/// inflateInit2 is a macro that adds the version and the size of the structure, and Swift imports no
/// such macros. -15: raw deflate, as zip members have it, without zlib's own header.
static inline int czlib_inflate_raw(z_stream *stream) {
  return inflateInit2(stream, -15);
}

/// A file in memory without a name, to which members of archives are unpacked; -1 if there is none.
/// glibc declares memfd_create only where _GNU_SOURCE is defined, which Swift does not do.
int memfd_create(const char *name, unsigned flags);
static inline int czlib_memory_file(void) {
  return memfd_create("aviary", 1 /* close on exec */);
}
