#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "CImageCodecs.h"

typedef struct {
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr manager;
  jmp_buf jump;
  unsigned char *bytes;
  unsigned long length;
  cimg_error *error;
} jpeg_writer;

static void fail(j_common_ptr jpeg) {
  jpeg_writer *writer = jpeg->client_data;
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  snprintf(writer->error->text, sizeof writer->error->text, "%s", message);
  longjmp(writer->jump, 1);
}

static void say_nothing(j_common_ptr jpeg) { (void)jpeg; }

static void write_jpeg(
    jpeg_writer *writer, const uint8_t *rows, uint32_t width, uint32_t height, int channels,
    int quality) {
  struct jpeg_compress_struct *jpeg = &writer->jpeg;
  jpeg_mem_dest(jpeg, &writer->bytes, &writer->length);
  jpeg->image_width = width;
  jpeg->image_height = height;
  jpeg->input_components = channels;
  jpeg->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(jpeg);
  jpeg_set_quality(jpeg, quality, TRUE);
  jpeg_start_compress(jpeg, TRUE);
  while (jpeg->next_scanline < jpeg->image_height) {
    // The library reads rows, whatever its types say.
    JSAMPROW row = (JSAMPROW)rows + (size_t)jpeg->next_scanline * width * channels;
    jpeg_write_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_compress(jpeg);
}

uint8_t *cimg_encode_jpeg(
    const uint8_t *rows, uint32_t width, uint32_t height, int channels, int quality, size_t *length,
    cimg_error *error) {
  // On the heap, since what lies in automatic variables is uncertain after a long jump.
  jpeg_writer *writer = calloc(1, sizeof *writer);
  if (!writer) {
    snprintf(error->text, sizeof error->text, "no memory");
    return NULL;
  }
  writer->error = error;
  writer->jpeg.err = jpeg_std_error(&writer->manager);
  writer->manager.error_exit = fail;
  writer->manager.output_message = say_nothing;
  // Before creation, which may fail and keeps the pointer.
  writer->jpeg.client_data = writer;
  uint8_t *bytes = NULL;
  if (setjmp(writer->jump)) {
    jpeg_destroy_compress(&writer->jpeg);
    free(writer->bytes);
    free(writer);
    return NULL;
  }
  jpeg_create_compress(&writer->jpeg);
  write_jpeg(writer, rows, width, height, channels, quality);
  bytes = writer->bytes;
  *length = writer->length;
  jpeg_destroy_compress(&writer->jpeg);
  free(writer);
  return bytes;
}
