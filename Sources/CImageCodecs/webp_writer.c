#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <webp/encode.h>
#include <webp/mux.h>

#include "reader.h"

// The library takes the whole image at once.
typedef struct {
  cimg_writer base;
  int descriptor;
  WebPConfig config;
  WebPMemoryWriter compressed;
  uint8_t *pixels;
  size_t row_bytes;
  uint32_t width, height, channels, next_row;
  WebPData parts[3];
} webp_writer;

static void abandon(cimg_writer *base) {
  webp_writer *writer = (webp_writer *)base;
  if (writer->descriptor >= 0) close(writer->descriptor);
  for (int kind = 0; kind < 3; kind++) free((void *)writer->parts[kind].bytes);
  WebPMemoryWriterClear(&writer->compressed);
  free(writer->pixels);
  free(writer);
}

static int fail(cimg_error *error, const char *reason) {
  snprintf(error->text, sizeof error->text, "%s", reason);
  return -1;
}

static int write_metadata(
    cimg_writer *base, int kind, const char *keyword, const uint8_t *bytes, size_t length,
    cimg_error *error) {
  (void)keyword;
  webp_writer *writer = (webp_writer *)base;
  if (kind < 0 || kind > 2) return 1;
  uint8_t *copy = malloc(length);
  if (!copy) return fail(error, "no memory");
  memcpy(copy, bytes, length);
  free((void *)writer->parts[kind].bytes);
  writer->parts[kind].bytes = copy;
  writer->parts[kind].size = length;
  return 0;
}

static int write_rows(
    cimg_writer *base, const uint8_t *rows, uint32_t count, cimg_error *error) {
  webp_writer *writer = (webp_writer *)base;
  if (count > writer->height - writer->next_row) return fail(error, "too many rows");
  memcpy(
    writer->pixels + writer->next_row * writer->row_bytes, rows, count * writer->row_bytes);
  writer->next_row += count;
  return 0;
}

static int write_all(int descriptor, const uint8_t *bytes, size_t length, cimg_error *error) {
  while (length > 0) {
    ssize_t count = write(descriptor, bytes, length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(error, strerror(errno));
    bytes += count;
    length -= (size_t)count;
  }
  return 0;
}

static int compress(webp_writer *writer, cimg_error *error) {
  WebPPicture picture;
  if (!WebPPictureInit(&picture)) return fail(error, "another version of libwebp");
  picture.width = (int)writer->width;
  picture.height = (int)writer->height;
  picture.use_argb = writer->config.lossless;
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer->compressed;
  int stride = (int)writer->row_bytes;
  int is_done = writer->channels == 4 ? WebPPictureImportRGBA(&picture, writer->pixels, stride)
                                      : WebPPictureImportRGB(&picture, writer->pixels, stride);
  // The picture is a copy.
  free(writer->pixels);
  writer->pixels = NULL;
  is_done = is_done && WebPEncode(&writer->config, &picture);
  int code = picture.error_code;
  WebPPictureFree(&picture);
  if (is_done) return 0;
  return fail(
    error, code == VP8_ENC_ERROR_OUT_OF_MEMORY || code == VP8_ENC_OK ? "no memory"
                                                                     : "libwebp cannot compress it");
}

static int finish(cimg_writer *base, cimg_error *error) {
  webp_writer *writer = (webp_writer *)base;
  if (writer->next_row < writer->height) return fail(error, "rows are missing");
  if (compress(writer, error) != 0) return -1;
  static const char *const names[] = {"EXIF", "ICCP", "XMP "};
  WebPData image = {writer->compressed.mem, writer->compressed.size}, file = image;
  WebPMux *mux = NULL;
  if (writer->parts[0].size || writer->parts[1].size || writer->parts[2].size) {
    mux = WebPMuxNew();
    int is_done = mux && WebPMuxSetImage(mux, &image, 0) == WEBP_MUX_OK;
    for (int kind = 0; kind < 3 && is_done; kind++)
      if (writer->parts[kind].size)
        is_done = WebPMuxSetChunk(mux, names[kind], &writer->parts[kind], 0) == WEBP_MUX_OK;
    WebPDataInit(&file);
    if (!is_done || WebPMuxAssemble(mux, &file) != WEBP_MUX_OK) {
      WebPMuxDelete(mux);
      return fail(error, "libwebp cannot put the file together");
    }
  }
  int status = write_all(writer->descriptor, file.bytes, file.size, error);
  if (mux) {
    WebPDataClear(&file);
    WebPMuxDelete(mux);
  }
  return status;
}

cimg_writer *cimg_create_webp(int descriptor, const cimg_target *target, cimg_error *error) {
  webp_writer *writer = calloc(1, sizeof *writer);
  if (!writer) {
    fail(error, "no memory");
    return NULL;
  }
  writer->base.write_metadata = write_metadata;
  writer->base.write_rows = write_rows;
  writer->base.finish = finish;
  writer->base.abandon = abandon;
  WebPMemoryWriterInit(&writer->compressed);
  writer->width = target->width;
  writer->height = target->height;
  writer->channels = (uint32_t)target->channels;
  writer->row_bytes = (size_t)target->width * (size_t)target->channels;
  writer->descriptor = dup(descriptor);
  writer->pixels = malloc(writer->row_bytes * writer->height);
  int is_ready = WebPConfigInit(&writer->config);
  if (target->quality > 0) {
    writer->config.quality = (float)target->quality;
  } else {
    is_ready = is_ready && WebPConfigLosslessPreset(&writer->config, 6);
    // Colours under transparency, too.
    writer->config.exact = 1;
  }
  if (writer->descriptor < 0 || !writer->pixels || !is_ready ||
      !WebPValidateConfig(&writer->config)) {
    fail(error, writer->descriptor < 0 ? strerror(errno) : "no memory");
    abandon(&writer->base);
    return NULL;
  }
  return &writer->base;
}
