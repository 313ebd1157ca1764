#pragma once
#include <zlib.h>

/// inflateInit2 is a macro that adds the version and the size of the structure, and Swift imports no
/// such macros. -15: raw deflate, as zip members have it, without zlib's own header.
static inline int czlib_inflate_raw(z_stream *stream) {
  return inflateInit2(stream, -15);
}
