#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>

#include <jerror.h>

#include "reader.h"

// A JPEG that is written row by row, to a file or to memory.
typedef struct {
  cimg_writer base;
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr manager;
  jmp_buf jump;
  FILE *file;
  // Where the message of a failure goes; set by every call that may fail.
  cimg_error *error;
} jpeg_writer;

static void fail(j_common_ptr jpeg) {
  jpeg_writer *writer = jpeg->client_data;
  char message[JMSG_LENGTH_MAX];
  int reason = errno;
  jpeg->err->format_message(jpeg, message);
  // The library does not say why the system refused.
  snprintf(
    writer->error->text, sizeof writer->error->text, "%s",
    jpeg->err->msg_code == JERR_FILE_WRITE && reason ? strerror(reason) : message);
  longjmp(writer->jump, 1);
}

static void say_nothing(j_common_ptr jpeg) { (void)jpeg; }

static void abandon(cimg_writer *base) {
  jpeg_writer *writer = (jpeg_writer *)base;
  jpeg_destroy_compress(&writer->jpeg);
  if (writer->file) fclose(writer->file);
  free(writer);
}

static int write_marker(jpeg_writer *writer, int marker, const char *prefix, size_t prefix_length,
    const uint8_t *bytes, size_t length) {
  uint8_t *data = malloc(prefix_length + length);
  if (!data || prefix_length + length > 65533) {
    free(data);
    snprintf(writer->error->text, sizeof writer->error->text, data ? "too long" : "no memory");
    return -1;
  }
  memcpy(data, prefix, prefix_length);
  memcpy(data + prefix_length, bytes, length);
  if (setjmp(writer->jump)) {
    free(data);
    return -1;
  }
  jpeg_write_marker(&writer->jpeg, marker, data, (unsigned)(prefix_length + length));
  free(data);
  return 0;
}

// A record of IPTC as the only one of Photoshop's blocks.
static int write_iptc(jpeg_writer *writer, const uint8_t *bytes, size_t length) {
  // With the NUL that ends the name; a block without a name of its own.
  static const char prefix[26] = "Photoshop 3.0\0" "8BIM\4\4\0\0";
  uint8_t *block = malloc(length + 5);
  if (!block || length > 65000) {
    free(block);
    snprintf(writer->error->text, sizeof writer->error->text, block ? "too long" : "no memory");
    return -1;
  }
  for (int i = 0; i < 4; i++) block[i] = (uint8_t)(length >> (24 - 8 * i));
  memcpy(block + 4, bytes, length);
  block[4 + length] = 0;
  int status = write_marker(
    writer, JPEG_APP0 + 13, prefix, 22, block, 4 + length + length % 2);
  free(block);
  return status;
}

static int write_metadata(
    cimg_writer *base, int kind, const char *keyword, const uint8_t *bytes, size_t length,
    cimg_error *error) {
  (void)keyword;
  jpeg_writer *writer = (jpeg_writer *)base;
  writer->error = error;
  switch (kind) {
    case cimg_kind_exif: return write_marker(writer, JPEG_APP0 + 1, "Exif\0", 6, bytes, length);
    case cimg_kind_xmp:
      return write_marker(
        writer, JPEG_APP0 + 1, "http://ns.adobe.com/xap/1.0/", 29, bytes, length);
    case cimg_kind_iptc: return write_iptc(writer, bytes, length);
    case cimg_kind_comment: return write_marker(writer, JPEG_COM, "", 0, bytes, length);
    default:
      if (setjmp(writer->jump)) return -1;
      jpeg_write_icc_profile(&writer->jpeg, bytes, (unsigned)length);
      return 0;
  }
}

static int write_rows(
    cimg_writer *base, const uint8_t *rows, uint32_t count, cimg_error *error) {
  jpeg_writer *writer = (jpeg_writer *)base;
  writer->error = error;
  if (setjmp(writer->jump)) return -1;
  size_t stride = (size_t)writer->jpeg.image_width * (size_t)writer->jpeg.input_components;
  for (uint32_t y = 0; y < count; y++) {
    // The library reads rows, whatever its types say.
    JSAMPROW row = (JSAMPROW)rows + y * stride;
    jpeg_write_scanlines(&writer->jpeg, &row, 1);
  }
  return 0;
}

static int finish(cimg_writer *base, cimg_error *error) {
  jpeg_writer *writer = (jpeg_writer *)base;
  writer->error = error;
  if (setjmp(writer->jump)) return -1;
  jpeg_finish_compress(&writer->jpeg);
  FILE *file = writer->file;
  writer->file = NULL;
  if (fclose(file) == 0) return 0;
  snprintf(error->text, sizeof error->text, "%s", strerror(errno));
  return -1;
}

static void begin(jpeg_writer *writer, const cimg_target *target, int is_optimized) {
  struct jpeg_compress_struct *jpeg = &writer->jpeg;
  jpeg_stdio_dest(jpeg, writer->file);
  jpeg->image_width = target->width;
  jpeg->image_height = target->height;
  jpeg->input_components = target->channels;
  jpeg->in_color_space = target->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(jpeg);
  jpeg_set_quality(jpeg, target->quality, TRUE);
  jpeg->optimize_coding = is_optimized;
  if (target->is_full_chroma)
    for (int c = 0; c < jpeg->num_components; c++)
      jpeg->comp_info[c].h_samp_factor = jpeg->comp_info[c].v_samp_factor = 1;
  if (target->is_progressive) jpeg_simple_progression(jpeg);
  double x = target->density_x * 0.0254, y = target->density_y * 0.0254;
  if (x >= 0.5 && y >= 0.5 && x < 65535 && y < 65535) {
    jpeg->density_unit = 1;
    jpeg->X_density = (UINT16)(x + 0.5);
    jpeg->Y_density = (UINT16)(y + 0.5);
  }
  jpeg_start_compress(jpeg, TRUE);
}

// A writer to a stream, which it closes, also where it fails; NULL on failure.
static jpeg_writer *create(
    FILE *file, const cimg_target *target, int is_optimized, cimg_error *error) {
  // On the heap, since what lies in automatic variables is uncertain after a long jump.
  jpeg_writer *writer = file ? calloc(1, sizeof *writer) : NULL;
  if (!writer) {
    snprintf(error->text, sizeof error->text, "%s", file ? "no memory" : strerror(errno));
    if (file) fclose(file);
    return NULL;
  }
  writer->base.write_metadata = write_metadata;
  writer->base.write_rows = write_rows;
  writer->base.finish = finish;
  writer->base.abandon = abandon;
  writer->file = file;
  writer->error = error;
  writer->jpeg.err = jpeg_std_error(&writer->manager);
  writer->manager.error_exit = fail;
  writer->manager.output_message = say_nothing;
  // Before creation, which may fail and keeps the pointer.
  writer->jpeg.client_data = writer;
  if (setjmp(writer->jump)) {
    abandon(&writer->base);
    return NULL;
  }
  jpeg_create_compress(&writer->jpeg);
  begin(writer, target, is_optimized);
  return writer;
}

cimg_writer *cimg_create_jpeg(int descriptor, const cimg_target *target, cimg_error *error) {
  int copy = dup(descriptor);
  FILE *file = copy < 0 ? NULL : fdopen(copy, "wb");
  if (!file && copy >= 0) close(copy);
  // Tables that fit the image make it a few percent smaller, and the library then keeps all of it.
  int is_small = (uint64_t)target->width * target->height <= 1 << 22;
  jpeg_writer *writer = create(file, target, is_small, error);
  return writer ? &writer->base : NULL;
}

uint8_t *cimg_encode_jpeg(
    const uint8_t *rows, uint32_t width, uint32_t height, int channels, int quality, size_t *length,
    cimg_error *error) {
  cimg_target target = {
    .width = width, .height = height, .channels = channels, .bit_depth = 8, .quality = quality};
  char *bytes = NULL;
  jpeg_writer *writer = create(open_memstream(&bytes, length), &target, 0, error);
  if (!writer) {
    free(bytes);
    return NULL;
  }
  int status = write_rows(&writer->base, rows, height, error);
  if (status == 0) status = finish(&writer->base, error);
  abandon(&writer->base);
  if (status == 0) return (uint8_t *)bytes;
  free(bytes);
  return NULL;
}
