#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "reader.h"

typedef struct {
  cimg_reader base;
  const uint8_t *bytes;
  size_t length;
  WebPDemuxer *demuxer;
  WebPIterator frame;
  // The whole image: the library makes no part of it ahead of the rest.
  uint8_t *pixels;
  uint32_t width, height, channels, next_row;
} webp_reader;

static void close_webp(cimg_reader *base) {
  webp_reader *reader = (webp_reader *)base;
  WebPDemuxReleaseIterator(&reader->frame);
  WebPDemuxDelete(reader->demuxer);
  free(reader->pixels);
  free(reader);
}

static int read_webp_rows(
    cimg_reader *base, uint8_t *rows, size_t stride, uint32_t count, cimg_error *error) {
  webp_reader *reader = (webp_reader *)base;
  size_t row_bytes = (size_t)reader->width * reader->channels;
  if (count > reader->height - reader->next_row) {
    snprintf(
      error->text, sizeof error->text, "%u rows asked for, %u left", count,
      reader->height - reader->next_row);
    return -1;
  }
  if (!reader->pixels) {
    size_t size = row_bytes * reader->height;
    reader->pixels = malloc(size);
    if (!reader->pixels) {
      snprintf(error->text, sizeof error->text, "no memory");
      return -1;
    }
    WebPDecoderConfig config;
    WebPInitDecoderConfig(&config);
    config.output.colorspace = reader->channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = reader->pixels;
    config.output.u.RGBA.stride = (int)row_bytes;
    config.output.u.RGBA.size = size;
    const WebPData *data = &reader->frame.fragment;
    if (WebPDecode(data->bytes, data->size, &config) != VP8_STATUS_OK) {
      snprintf(error->text, sizeof error->text, "the image data are damaged or end too early");
      return -1;
    }
  }
  for (uint32_t row = 0; row < count; row++, reader->next_row++)
    memcpy(rows + row * stride, reader->pixels + reader->next_row * row_bytes, row_bytes);
  return 0;
}

// A chunk of the container, borrowed; NULL where there is none.
static const uint8_t *chunk(webp_reader *reader, const char *name, size_t *length) {
  WebPChunkIterator iterator;
  const uint8_t *bytes = NULL;
  if (WebPDemuxGetChunk(reader->demuxer, name, 1, &iterator)) {
    bytes = iterator.chunk.bytes;
    *length = iterator.chunk.size;
  }
  WebPDemuxReleaseChunkIterator(&iterator);
  return bytes;
}

cimg_reader *cimg_open_webp(
    const uint8_t *bytes, size_t length, cimg_info *info, cimg_error *error) {
  memset(info, 0, sizeof *info);
  webp_reader *reader = calloc(1, sizeof *reader);
  if (!reader) {
    snprintf(error->text, sizeof error->text, "no memory");
    return NULL;
  }
  reader->base.read_rows = read_webp_rows;
  reader->base.close = close_webp;
  WebPData data = {bytes, length};
  reader->demuxer = WebPDemux(&data);
  WebPBitstreamFeatures features;
  if (!reader->demuxer || !WebPDemuxGetFrame(reader->demuxer, 1, &reader->frame) ||
      WebPGetFeatures(
        reader->frame.fragment.bytes, reader->frame.fragment.size, &features) != VP8_STATUS_OK) {
    snprintf(error->text, sizeof error->text, "the file is damaged or ends too early");
    close_webp(&reader->base);
    return NULL;
  }
  info->pages = WebPDemuxGetI(reader->demuxer, WEBP_FF_FRAME_COUNT);
  if (WebPDemuxGetI(reader->demuxer, WEBP_FF_FORMAT_FLAGS) & ANIMATION_FLAG) {
    // The caller tells of it: it is no damage.
    snprintf(error->text, sizeof error->text, "an animation");
    if (info->pages < 2) info->pages = 2;
    close_webp(&reader->base);
    return NULL;
  }
  reader->width = info->width = (uint32_t)features.width;
  reader->height = info->height = (uint32_t)features.height;
  reader->channels = features.has_alpha ? 4 : 3;
  info->channels = (int)reader->channels;
  info->bit_depth = info->stored_bit_depth = 8;
  // What is handed over, and as much again that the library works with.
  info->held_bytes = (uint64_t)info->width * info->height * (reader->channels + 4);
  info->compressed_bytes = reader->frame.fragment.size;
  // A pixel may take no bit at all where nothing changes: a bound that no image of use meets.
  info->largest_ratio = 1 << 18;
  reader->base.exif = chunk(reader, "EXIF", &reader->base.exif_length);
  reader->base.icc_profile = chunk(reader, "ICCP", &reader->base.icc_profile_length);
  reader->base.xmp = chunk(reader, "XMP ", &reader->base.xmp_length);
  return &reader->base;
}
