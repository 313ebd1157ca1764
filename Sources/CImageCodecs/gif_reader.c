#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gif_lib.h>

#include "reader.h"

typedef struct {
  cimg_reader base;
  GifFileType *gif;
  // Where the one image lies on the screen, what its indices mean, and the one that is transparent.
  GifWord left, top, width, height;
  int is_interlaced, transparent, channels;
  uint8_t palette[256][3];
  int colors;
  // The image's indices, once they are decoded.
  uint8_t *indices;
  uint32_t next_row;
} gif_reader;

static void close_gif(cimg_reader *base) {
  gif_reader *reader = (gif_reader *)base;
  int code;
  if (reader->gif) DGifCloseFile(reader->gif, &code);
  free(reader->indices);
  free(reader);
}

static int fail(cimg_error *error, int code) {
  const char *reason = GifErrorString(code);
  snprintf(error->text, sizeof error->text, "%s", reason ? reason : "the file ends too early");
  return -1;
}

// Reads up to the next image, and what stands before it. 1 at the end, -1 for damage. A file may end
// without the byte that says so: between two parts nothing is missing.
static int next_image(GifFileType *gif, int *transparent, cimg_info *info, cimg_error *error) {
  GifRecordType type;
  for (;;) {
    if (DGifGetRecordType(gif, &type) == GIF_ERROR)
      return gif->Error == D_GIF_ERR_READ_FAILED ? 1 : fail(error, gif->Error);
    if (type == TERMINATE_RECORD_TYPE) return 1;
    if (type == IMAGE_DESC_RECORD_TYPE)
      return DGifGetImageDesc(gif) == GIF_ERROR ? fail(error, gif->Error) : 0;
    int code;
    GifByteType *extension;
    if (DGifGetExtension(gif, &code, &extension) == GIF_ERROR) return fail(error, gif->Error);
    // The first block of an application's data is its name.
    static const char xmp[11] = "XMP DataXMP", profile[11] = "ICCRGBG1012";
    int is_named = extension && code == APPLICATION_EXT_FUNC_CODE && extension[0] == 11;
    if (extension && code == COMMENT_EXT_FUNC_CODE) cimg_leave_behind(info, "comments");
    if (is_named && memcmp(extension + 1, xmp, 11) == 0) cimg_leave_behind(info, "XMP");
    if (is_named && memcmp(extension + 1, profile, 11) == 0)
      cimg_leave_behind(info, "the ICC profile");
    while (extension) {
      GraphicsControlBlock control;
      if (transparent && code == GRAPHICS_EXT_FUNC_CODE &&
          DGifExtensionToGCB(extension[0], extension + 1, &control) == GIF_OK)
        *transparent = control.TransparentColor;
      if (DGifGetExtensionNext(gif, &extension) == GIF_ERROR) return fail(error, gif->Error);
    }
  }
}

static GifFileType *open_gif(int descriptor, cimg_error *error) {
  int copy = dup(descriptor), code = 0;
  if (copy < 0 || lseek(copy, 0, SEEK_SET) != 0) {
    snprintf(error->text, sizeof error->text, "%s", strerror(errno));
    if (copy >= 0) close(copy);
    return NULL;
  }
  // The library closes the descriptor, also where it fails.
  GifFileType *gif = DGifOpenFileHandle(copy, &code);
  if (!gif) fail(error, code);
  return gif;
}

// How many images there are, without decoding any; -1 for damage. The bytes of their data go into
// `info`, and what is beside them.
static int count_images(int descriptor, cimg_info *info, cimg_error *error) {
  GifFileType *gif = open_gif(descriptor, error);
  if (!gif) return -1;
  int count = 0, status;
  while ((status = next_image(gif, NULL, info, error)) == 0) {
    count++;
    int size;
    GifByteType *block;
    if (DGifGetCode(gif, &size, &block) == GIF_ERROR) status = fail(error, gif->Error);
    while (status == 0 && block) {
      info->compressed_bytes += block[0];
      if (DGifGetCodeNext(gif, &block) == GIF_ERROR) status = fail(error, gif->Error);
    }
    // What the library keeps of each image.
    GifFreeSavedImages(gif);
    gif->SavedImages = NULL;
    gif->ImageCount = 0;
    if (status != 0) break;
  }
  int code;
  DGifCloseFile(gif, &code);
  return status < 0 ? -1 : count;
}

static int decode(gif_reader *reader, cimg_error *error) {
  size_t width = (size_t)reader->width, height = (size_t)reader->height;
  reader->indices = malloc(width * height);
  if (!reader->indices) {
    snprintf(error->text, sizeof error->text, "no memory");
    return -1;
  }
  static const size_t first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
  int passes = reader->is_interlaced ? 4 : 1;
  for (int pass = 0; pass < passes; pass++)
    for (size_t y = reader->is_interlaced ? first[pass] : 0; y < height;
         y += reader->is_interlaced ? step[pass] : 1)
      if (DGifGetLine(reader->gif, reader->indices + y * width, (int)width) == GIF_ERROR)
        return fail(error, reader->gif->Error);
  return 0;
}

static int read_gif_rows(
    cimg_reader *base, uint8_t *rows, size_t stride, uint32_t count, cimg_error *error) {
  gif_reader *reader = (gif_reader *)base;
  uint32_t screen = (uint32_t)reader->gif->SHeight;
  if (count > screen - reader->next_row) {
    snprintf(
      error->text, sizeof error->text, "%u rows asked for, %u left", count,
      screen - reader->next_row);
    return -1;
  }
  if (!reader->indices && decode(reader, error) != 0) return -1;
  for (uint32_t row = 0; row < count; row++, reader->next_row++) {
    uint8_t *target = rows + row * stride;
    GifWord y = (GifWord)reader->next_row - reader->top;
    for (GifWord screen_x = 0; screen_x < reader->gif->SWidth; screen_x++) {
      GifWord x = screen_x - reader->left;
      int is_inside = x >= 0 && x < reader->width && y >= 0 && y < reader->height;
      int index = is_inside ? reader->indices[(size_t)y * (size_t)reader->width + (size_t)x] : -1;
      // An index without a colour is damage that viewers show as black, or transparent all the same.
      for (int c = 0; c < 3; c++)
        *target++ = index < 0 || index >= reader->colors ? 0 : reader->palette[index][c];
      if (reader->channels == 4)
        *target++ = index < 0 || index == reader->transparent ? 0 : 255;
    }
  }
  return 0;
}

static int set_up(gif_reader *reader, int descriptor, cimg_info *info, cimg_error *error) {
  int count = count_images(descriptor, info, error);
  if (count < 0) return -1;
  info->pages = (uint32_t)count;
  if (count != 1) {
    snprintf(error->text, sizeof error->text, count == 0 ? "no image in it" : "an animation");
    return -1;
  }
  reader->gif = open_gif(descriptor, error);
  if (!reader->gif) return -1;
  reader->transparent = NO_TRANSPARENT_COLOR;
  if (next_image(reader->gif, &reader->transparent, info, error) != 0) return -1;
  const GifImageDesc *image = &reader->gif->Image;
  reader->left = image->Left;
  reader->top = image->Top;
  reader->width = image->Width;
  reader->height = image->Height;
  reader->is_interlaced = image->Interlace;
  const ColorMapObject *map = image->ColorMap ? image->ColorMap : reader->gif->SColorMap;
  if (!map || map->ColorCount < 1 || map->ColorCount > 256) {
    snprintf(error->text, sizeof error->text, "the palette is missing");
    return -1;
  }
  reader->colors = map->ColorCount;
  for (int i = 0; i < map->ColorCount; i++) {
    reader->palette[i][0] = map->Colors[i].Red;
    reader->palette[i][1] = map->Colors[i].Green;
    reader->palette[i][2] = map->Colors[i].Blue;
  }
  GifWord screen_width = reader->gif->SWidth, screen_height = reader->gif->SHeight;
  if (screen_width < 1 || screen_height < 1 || reader->width < 1 || reader->height < 1) {
    snprintf(error->text, sizeof error->text, "%dx%d pixels", screen_width, screen_height);
    return -1;
  }
  int covers = reader->left == 0 && reader->top == 0 && reader->width >= screen_width &&
    reader->height >= screen_height;
  reader->channels = reader->transparent != NO_TRANSPARENT_COLOR || !covers ? 4 : 3;
  info->width = (uint32_t)screen_width;
  info->height = (uint32_t)screen_height;
  info->channels = reader->channels;
  info->bit_depth = 8;
  info->stored_bit_depth = reader->gif->SColorMap ? reader->gif->SColorMap->BitsPerPixel : 8;
  info->is_palette = 1;
  info->held_bytes = (uint64_t)reader->width * (uint64_t)reader->height;
  // The screen may be larger: what lies around the image takes no bytes.
  info->coded_pixels = info->held_bytes;
  // A code of 12 bits or fewer stands for a string of 4096 indices at most.
  info->largest_ratio = 4096;
  return 0;
}

cimg_reader *cimg_open_gif(int descriptor, cimg_info *info, cimg_error *error) {
  memset(info, 0, sizeof *info);
  gif_reader *reader = calloc(1, sizeof *reader);
  if (!reader) {
    snprintf(error->text, sizeof error->text, "no memory");
    return NULL;
  }
  reader->base.read_rows = read_gif_rows;
  reader->base.close = close_gif;
  if (set_up(reader, descriptor, info, error) == 0) return &reader->base;
  close_gif(&reader->base);
  return NULL;
}
