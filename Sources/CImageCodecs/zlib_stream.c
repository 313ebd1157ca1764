#include <stdlib.h>

#include <zlib.h>

#include "CImageCodecs.h"

uint8_t *cimg_inflate(const uint8_t *bytes, size_t length, size_t limit, size_t *result_length) {
  z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)length};
  if (inflateInit(&stream) != Z_OK) return NULL;
  size_t capacity = 4096, count = 0;
  uint8_t *result = malloc(capacity);
  int status = Z_OK;
  while (result && status == Z_OK) {
    if (count == capacity) {
      if (capacity >= limit) break;
      capacity = capacity * 2 < limit ? capacity * 2 : limit;
      uint8_t *larger = realloc(result, capacity);
      if (!larger) break;
      result = larger;
    }
    stream.next_out = result + count;
    stream.avail_out = (uInt)(capacity - count);
    status = inflate(&stream, Z_NO_FLUSH);
    count = capacity - stream.avail_out;
  }
  inflateEnd(&stream);
  *result_length = count;
  if (status == Z_STREAM_END) return result;
  free(result);
  return NULL;
}

uint8_t *cimg_deflate(const uint8_t *bytes, size_t length, size_t *result_length) {
  uLongf count = compressBound(length);
  uint8_t *result = malloc(count);
  if (!result || compress2(result, &count, bytes, length, Z_BEST_COMPRESSION) != Z_OK) {
    free(result);
    return NULL;
  }
  *result_length = count;
  return result;
}
