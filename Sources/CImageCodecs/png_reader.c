#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader.h"

typedef struct {
  cimg_reader base;
  png_structp png;
  png_infop info;
  FILE *file;
  uint32_t rows_left;
  int passes;
  // The first warning; empty if there was none.
  char warning[128];
  // Where the message of a failure goes; set by every call that may fail.
  cimg_error *error;
} png_reader;

static void fail(png_structp png, png_const_charp message) {
  png_reader *reader = png_get_error_ptr(png);
  // What is wrong with a header libpng says by a warning, and then fails without saying it.
  if (strcmp(message, "Invalid IHDR data") == 0 && reader->warning[0]) message = reader->warning;
  snprintf(reader->error->text, sizeof reader->error->text, "%s", message);
  png_longjmp(png, 1);
}

// Warnings concern ancillary chunks that are not used here; what is damaged is an error.
static void warn(png_structp png, png_const_charp message) {
  png_reader *reader = png_get_error_ptr(png);
  if (reader->warning[0]) return;
  snprintf(reader->warning, sizeof reader->warning, "%s", message);
}

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
  FILE *file = png_get_io_ptr(png);
  if (fread(bytes, 1, count, file) == count) return;
  png_error(png, ferror(file) ? strerror(errno) : "the file ends too early");
}

static int read_png_rows(
    cimg_reader *base, uint8_t *rows, size_t stride, uint32_t count, cimg_error *error) {
  png_reader *reader = (png_reader *)base;
  reader->error = error;
  if (count > reader->rows_left || (reader->passes > 1 && count != reader->rows_left)) {
    snprintf(error->text, sizeof error->text, "%u rows asked for, %u left", count, reader->rows_left);
    return -1;
  }
  if (setjmp(png_jmpbuf(reader->png))) return -1;
  for (int pass = 0; pass < reader->passes; pass++)
    for (uint32_t row = 0; row < count; row++)
      png_read_row(reader->png, rows + (size_t)row * stride, NULL);
  reader->rows_left -= count;
  // The end of the file is read too: a checksum there counts.
  if (reader->rows_left == 0 && count > 0) png_read_end(reader->png, NULL);
  return 0;
}

static void close_png(cimg_reader *base) {
  png_reader *reader = (png_reader *)base;
  png_destroy_read_struct(&reader->png, &reader->info, NULL);
  if (reader->file) fclose(reader->file);
  free(reader);
}

// Everything to be asked of libpng for the row format promised in the header.
static void set_up(png_reader *reader, cimg_info *info) {
  png_structp png = reader->png;
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_user_limits(png, 1 << 20, 1 << 20);
  // Ancillary chunks are carried across byte by byte elsewhere: libpng need not parse them. (tRNS
  // is not among those that this call concerns.)
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info(png, reader->info);

  int color = png_get_color_type(png, reader->info);
  int depth = png_get_bit_depth(png, reader->info);
  info->stored_bit_depth = depth;
  info->is_palette = color == PNG_COLOR_TYPE_PALETTE;
  info->is_interlaced = png_get_interlace_type(png, reader->info) != PNG_INTERLACE_NONE;
  info->width = png_get_image_width(png, reader->info);
  info->height = png_get_image_height(png, reader->info);

  if (info->is_palette) png_set_palette_to_rgb(png);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (png_get_valid(png, reader->info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(png);
  const uint16_t one = 1;
  if (depth == 16 && *(const uint8_t *)&one == 1) png_set_swap(png);
  reader->passes = png_set_interlace_handling(png);
  png_read_update_info(png, reader->info);

  info->channels = png_get_channels(png, reader->info);
  info->bit_depth = png_get_bit_depth(png, reader->info);
  reader->rows_left = info->height;
}

cimg_reader *cimg_open_png(int descriptor, cimg_info *info, cimg_error *error) {
  memset(info, 0, sizeof *info);
  png_reader *reader = calloc(1, sizeof *reader);
  if (!reader) {
    snprintf(error->text, sizeof error->text, "no memory");
    return NULL;
  }
  reader->base.read_rows = read_png_rows;
  reader->base.close = close_png;
  reader->error = error;
  int copy = dup(descriptor);
  reader->file = copy < 0 ? NULL : fdopen(copy, "rb");
  if (!reader->file || fseeko(reader->file, 0, SEEK_SET) != 0) {
    snprintf(error->text, sizeof error->text, "%s", strerror(errno));
    if (!reader->file && copy >= 0) close(copy);
    close_png(&reader->base);
    return NULL;
  }
  reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, fail, warn);
  reader->info = reader->png ? png_create_info_struct(reader->png) : NULL;
  if (!reader->info) {
    snprintf(error->text, sizeof error->text, "libpng does not start");
    close_png(&reader->base);
    return NULL;
  }
  png_set_read_fn(reader->png, reader->file, read_bytes);
  if (setjmp(png_jmpbuf(reader->png))) {
    close_png(&reader->base);
    return NULL;
  }
  set_up(reader, info);
  return &reader->base;
}
