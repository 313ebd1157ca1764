#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// jpeglib.h wants size_t and FILE declared before it, and jerror.h wants what jpeglib.h says of
// the library's version.
#include <jpeglib.h>

#include <jerror.h>

#include "reader.h"

// A progressive file may repeat its scans without end; honest ones have about ten.
enum { largest_scan_count = 200 };

typedef struct {
  cimg_reader base;
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr manager;
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  FILE *file;
  int is_started;
  // One row of CMYK, converted on its way out; NULL for other images.
  uint8_t *cmyk;
  // What its profile makes of it; NULL without one.
  cimg_inks *inks;
  // Where the message of a failure goes; set by every call that may fail.
  cimg_error *error;
} jpeg_reader;

static void fail(j_common_ptr jpeg) {
  jpeg_reader *reader = jpeg->client_data;
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  snprintf(reader->error->text, sizeof reader->error->text, "%s", message);
  longjmp(reader->jump, 1);
}

// libjpeg fills what is missing with gray and only warns: missing or broken data is an error here.
// Other warnings (odd version numbers, stray bytes between markers) leave the image whole.
static void warn(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
      fail(jpeg);
    default:
      break;
  }
}

static void say_nothing(j_common_ptr jpeg) { (void)jpeg; }

static void check_progress(j_common_ptr jpeg) {
  jpeg_reader *reader = jpeg->client_data;
  if (reader->jpeg.input_scan_number <= largest_scan_count) return;
  snprintf(
    reader->error->text, sizeof reader->error->text, "more than %d scans", largest_scan_count);
  longjmp(reader->jump, 1);
}

// Without a profile there is only the naive conversion; Adobe's files hold the inks inverted.
static void convert_cmyk(const uint8_t *cmyk, uint8_t *rgb, uint32_t width, int is_inverted) {
  for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3)
    for (int c = 0; c < 3; c++) {
      unsigned ink = is_inverted ? cmyk[c] : 255 - cmyk[c];
      unsigned black = is_inverted ? cmyk[3] : 255 - cmyk[3];
      rgb[c] = (uint8_t)((ink * black + 127) / 255);
    }
}

static int read_jpeg_rows(
    cimg_reader *base, uint8_t *rows, size_t stride, uint32_t count, cimg_error *error) {
  jpeg_reader *reader = (jpeg_reader *)base;
  struct jpeg_decompress_struct *jpeg = &reader->jpeg;
  reader->error = error;
  if (setjmp(reader->jump)) return -1;
  // Begun here, not on opening: a progressive image is decoded as a whole by this.
  if (!reader->is_started) {
    jpeg_start_decompress(jpeg);
    reader->is_started = 1;
  }
  if (count > jpeg->output_height - jpeg->output_scanline) {
    snprintf(error->text, sizeof error->text, "%u rows asked for, %u left", count,
      jpeg->output_height - jpeg->output_scanline);
    return -1;
  }
  for (uint32_t row = 0; row < count; row++) {
    uint8_t *destination = rows + (size_t)row * stride;
    JSAMPROW target = reader->cmyk ? reader->cmyk : destination;
    jpeg_read_scanlines(jpeg, &target, 1);
    if (reader->inks)
      cimg_convert_inks(reader->inks, target, destination, jpeg->output_width);
    else if (reader->cmyk)
      convert_cmyk(target, destination, jpeg->output_width, jpeg->saw_Adobe_marker);
  }
  if (count > 0 && jpeg->output_scanline == jpeg->output_height) jpeg_finish_decompress(jpeg);
  return 0;
}

static void close_jpeg(cimg_reader *base) {
  jpeg_reader *reader = (jpeg_reader *)base;
  jpeg_destroy_decompress(&reader->jpeg);
  if (reader->file) fclose(reader->file);
  free((void *)base->icc_profile);
  free(reader->cmyk);
  cimg_close_inks(reader->inks);
  free(reader);
}

static void find_exif(jpeg_reader *reader) {
  static const char prefix[6] = "Exif\0";
  for (jpeg_saved_marker_ptr m = reader->jpeg.marker_list; m; m = m->next) {
    if (m->marker != JPEG_APP0 + 1 || m->data_length <= sizeof prefix) continue;
    if (memcmp(m->data, prefix, sizeof prefix) != 0) continue;
    reader->base.exif = m->data + sizeof prefix;
    reader->base.exif_length = m->data_length - sizeof prefix;
    return;
  }
}

static void find_xmp(jpeg_reader *reader) {
  // With the NUL that ends it.
  static const char prefix[29] = "http://ns.adobe.com/xap/1.0/";
  for (jpeg_saved_marker_ptr m = reader->jpeg.marker_list; m; m = m->next) {
    if (m->marker != JPEG_APP0 + 1 || m->data_length <= sizeof prefix) continue;
    if (memcmp(m->data, prefix, sizeof prefix) != 0) continue;
    reader->base.xmp = m->data + sizeof prefix;
    reader->base.xmp_length = m->data_length - sizeof prefix;
    return;
  }
}

// The record of IPTC among the blocks of Photoshop, which are "8BIM", a number, a name padded to an
// even length, a length and so many bytes, padded likewise.
static void find_iptc(jpeg_reader *reader, cimg_info *info) {
  // With the NUL that ends it.
  static const char prefix[14] = "Photoshop 3.0";
  int has_others = 0;
  for (jpeg_saved_marker_ptr m = reader->jpeg.marker_list; m; m = m->next) {
    if (m->marker != JPEG_APP0 + 13 || m->data_length < sizeof prefix) continue;
    if (memcmp(m->data, prefix, sizeof prefix) != 0) continue;
    const uint8_t *block = m->data + sizeof prefix, *end = m->data + m->data_length;
    while (end - block >= 12 && memcmp(block, "8BIM", 4) == 0) {
      unsigned number = (unsigned)block[4] << 8 | block[5];
      size_t name = ((size_t)block[6] + 2) / 2 * 2;
      if ((size_t)(end - block) < 6 + name + 4) break;
      const uint8_t *size = block + 6 + name;
      size_t length = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
      if (length > (size_t)(end - size) - 4) break;
      if (number == 0x0404 && !reader->base.iptc) {
        reader->base.iptc = size + 4;
        reader->base.iptc_length = length;
      } else if (number != 0x03ED && number != 0x0425) {
        // All but the density, which is JFIF's, too, and IPTC's checksum.
        cimg_leave_behind(info, "Photoshop data");
      }
      size_t rest = (size_t)(end - size) - 4;
      block = size + 4 + (length + length % 2 > rest ? rest : length + length % 2);
    }
  }
}

// Markers of which nothing is carried, by what they begin with.
static void find_left_behind(const jpeg_reader *reader, cimg_info *info) {
  static const struct {
    int marker;
    const char *name;
    const char *words;
  } kinds[] = {
    {JPEG_APP0 + 1, "http://ns.adobe.com/xmp/extension/", "extended XMP"},
    {JPEG_APP0 + 2, "MPF", "the other images of an MPO file"},
  };
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    for (jpeg_saved_marker_ptr m = reader->jpeg.marker_list; m; m = m->next) {
      // With the NUL that ends it.
      size_t length = strlen(kinds[i].name) + 1;
      if (m->marker == kinds[i].marker && m->data_length >= length &&
          memcmp(m->data, kinds[i].name, length) == 0)
        cimg_leave_behind(info, kinds[i].words);
    }
}

static const uint8_t *jpeg_comment(const cimg_reader *base, uint32_t position, size_t *length) {
  const jpeg_reader *reader = (const jpeg_reader *)base;
  for (jpeg_saved_marker_ptr m = reader->jpeg.marker_list; m; m = m->next) {
    if (m->marker != JPEG_COM || m->data_length == 0 || position-- > 0) continue;
    *length = m->data_length;
    return m->data;
  }
  return NULL;
}

static void set_up(jpeg_reader *reader, cimg_info *info) {
  struct jpeg_decompress_struct *jpeg = &reader->jpeg;
  jpeg_stdio_src(jpeg, reader->file);
  jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
  jpeg_save_markers(jpeg, JPEG_APP0 + 2, 0xFFFF);
  jpeg_save_markers(jpeg, JPEG_COM, 0xFFFF);
  jpeg_save_markers(jpeg, JPEG_APP0 + 13, 0xFFFF);
  jpeg_read_header(jpeg, TRUE);

  info->width = jpeg->image_width;
  info->height = jpeg->image_height;
  info->stored_bit_depth = jpeg->data_precision;
  info->bit_depth = 8;
  info->is_progressive = jpeg_has_multiple_scans(jpeg);
  info->is_huffman = !jpeg->arith_code;
  if (jpeg->saw_JFIF_marker) {
    info->density_unit = jpeg->density_unit;
    info->density_x = jpeg->X_density;
    info->density_y = jpeg->Y_density;
  }
  find_exif(reader);
  find_xmp(reader);
  find_iptc(reader, info);
  find_left_behind(reader, info);
  JOCTET *profile = NULL;
  unsigned length = 0;
  if (jpeg_read_icc_profile(jpeg, &profile, &length)) {
    reader->base.icc_profile = profile;
    reader->base.icc_profile_length = length;
  }

  switch (jpeg->num_components) {
    case 1:
      jpeg->out_color_space = JCS_GRAYSCALE;
      info->channels = 1;
      break;
    case 3:
      jpeg->out_color_space = JCS_RGB;
      info->channels = 3;
      break;
    case 4:
      jpeg->out_color_space = JCS_CMYK;
      info->channels = 3;
      info->is_cmyk = 1;
      reader->cmyk = malloc((size_t)jpeg->image_width * 4);
      reader->inks = cimg_open_inks(
        reader->base.icc_profile, reader->base.icc_profile_length, 8, jpeg->saw_Adobe_marker);
      info->is_by_profile = reader->inks != NULL;
      if (reader->cmyk) break;
      snprintf(reader->error->text, sizeof reader->error->text, "no memory");
      longjmp(reader->jump, 1);
    default:
      snprintf(
        reader->error->text, sizeof reader->error->text,
        "%d components: 1 (gray), 3 (colour) or 4 (CMYK) expected", jpeg->num_components);
      longjmp(reader->jump, 1);
  }
}

// A reader without a file yet; NULL on failure.
static jpeg_reader *create(cimg_info *info, cimg_error *error) {
  memset(info, 0, sizeof *info);
  jpeg_reader *reader = calloc(1, sizeof *reader);
  if (!reader) {
    snprintf(error->text, sizeof error->text, "no memory");
    return NULL;
  }
  reader->base.read_rows = read_jpeg_rows;
  reader->base.close = close_jpeg;
  reader->base.comment = jpeg_comment;
  reader->error = error;
  reader->jpeg.err = jpeg_std_error(&reader->manager);
  reader->manager.error_exit = fail;
  reader->manager.emit_message = warn;
  reader->manager.output_message = say_nothing;
  // Before creation, which may fail and keeps the pointer.
  reader->jpeg.client_data = reader;
  return reader;
}

// Creates the library's part and reads the header; closes the reader on failure.
static cimg_reader *begin(jpeg_reader *reader, cimg_info *info, cimg_error *error) {
  if (!reader->file || fseeko(reader->file, 0, SEEK_SET) != 0) {
    snprintf(error->text, sizeof error->text, "%s", strerror(errno));
    close_jpeg(&reader->base);
    return NULL;
  }
  if (setjmp(reader->jump)) {
    close_jpeg(&reader->base);
    return NULL;
  }
  jpeg_create_decompress(&reader->jpeg);
  reader->progress.progress_monitor = check_progress;
  reader->jpeg.progress = &reader->progress;
  set_up(reader, info);
  return &reader->base;
}

cimg_reader *cimg_open_jpeg(int descriptor, cimg_info *info, cimg_error *error) {
  jpeg_reader *reader = create(info, error);
  if (!reader) return NULL;
  int copy = dup(descriptor);
  reader->file = copy < 0 ? NULL : fdopen(copy, "rb");
  if (!reader->file && copy >= 0) {
    int reason = errno;
    close(copy);
    errno = reason;
  }
  return begin(reader, info, error);
}

cimg_reader *cimg_open_jpeg_bytes(
    const uint8_t *bytes, size_t length, cimg_info *info, cimg_error *error) {
  jpeg_reader *reader = create(info, error);
  if (!reader) return NULL;
  // Opened for reading only: what is there is not written to, whatever the type says.
  reader->file = fmemopen((void *)bytes, length, "rb");
  return begin(reader, info, error);
}
