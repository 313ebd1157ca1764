#include <png.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CImageCodecs.h"

struct cimg_writer {
  png_structp png;
  png_infop info;
  FILE *file;
  // Where the message of a failure goes; set by every call that may fail.
  cimg_error *error;
};

static void fail(png_structp png, png_const_charp message) {
  cimg_writer *writer = png_get_error_ptr(png);
  snprintf(writer->error->text, sizeof writer->error->text, "%s", message);
  png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  if (fwrite(bytes, 1, count, png_get_io_ptr(png)) != count) png_error(png, strerror(errno));
}

static void flush_bytes(png_structp png) {
  if (fflush(png_get_io_ptr(png)) != 0) png_error(png, strerror(errno));
}

static void begin(cimg_writer *writer, uint32_t width, uint32_t height, int channels, int depth) {
  static const int colors[] = {
    PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  png_structp png = writer->png;
  png_set_user_limits(png, 1 << 20, 1 << 20);
  // Against zlib's usual 6, measured on enlarged photographs: 2.7 times as fast, 5 % larger.
  png_set_compression_level(png, 4);
  png_set_IHDR(
    png, writer->info, width, height, depth, colors[channels - 1], PNG_INTERLACE_NONE,
    PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, writer->info);
  const uint16_t one = 1;
  if (depth == 16 && *(const uint8_t *)&one == 1) png_set_swap(png);
}

cimg_writer *cimg_create_png(
    int descriptor, uint32_t width, uint32_t height, int channels, int bit_depth,
    cimg_error *error) {
  cimg_writer *writer = channels >= 1 && channels <= 4 ? calloc(1, sizeof *writer) : NULL;
  if (!writer) {
    snprintf(error->text, sizeof error->text, "%d channels: no memory", channels);
    return NULL;
  }
  writer->error = error;
  int copy = dup(descriptor);
  writer->file = copy < 0 ? NULL : fdopen(copy, "wb");
  if (!writer->file) {
    snprintf(error->text, sizeof error->text, "%s", strerror(errno));
    if (copy >= 0) close(copy);
    cimg_close_writer(writer);
    return NULL;
  }
  writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, fail, ignore);
  writer->info = writer->png ? png_create_info_struct(writer->png) : NULL;
  if (!writer->info) {
    snprintf(error->text, sizeof error->text, "libpng does not start");
    cimg_close_writer(writer);
    return NULL;
  }
  png_set_write_fn(writer->png, writer->file, write_bytes, flush_bytes);
  if (setjmp(png_jmpbuf(writer->png))) {
    cimg_close_writer(writer);
    return NULL;
  }
  begin(writer, width, height, channels, bit_depth);
  return writer;
}

int cimg_write_chunk(
    cimg_writer *writer, const char type[4], const uint8_t *data, size_t length,
    cimg_error *error) {
  writer->error = error;
  if (setjmp(png_jmpbuf(writer->png))) return -1;
  png_write_chunk(writer->png, (png_const_bytep)type, data, length);
  return 0;
}

int cimg_write_rows(
    cimg_writer *writer, const uint8_t *rows, size_t stride, uint32_t count, cimg_error *error) {
  writer->error = error;
  if (setjmp(png_jmpbuf(writer->png))) return -1;
  for (uint32_t row = 0; row < count; row++)
    png_write_row(writer->png, rows + (size_t)row * stride);
  return 0;
}

int cimg_finish_png(cimg_writer *writer, cimg_error *error) {
  writer->error = error;
  if (setjmp(png_jmpbuf(writer->png))) return -1;
  png_write_end(writer->png, NULL);
  // A full disk may show only now.
  flush_bytes(writer->png);
  return 0;
}

void cimg_close_writer(cimg_writer *writer) {
  png_destroy_write_struct(&writer->png, &writer->info);
  if (writer->file) fclose(writer->file);
  free(writer);
}
