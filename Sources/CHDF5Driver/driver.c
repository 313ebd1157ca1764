#include "CHDF5Driver.h"

#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

// Drivers moved to a header of their own with HDF5 1.13.
#if defined(__has_include)
#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>
#endif
#endif

struct chdf5_channel {
  int descriptor;  // -1 once released, or after a failed write
  int error;
  int owners;
  uint64_t start, count;
};

// What the library knows as an open file.
typedef struct {
  H5FD_t base;  // first, as the library sees only this
  chdf5_channel *channel;
  haddr_t allocated, end;
} channel_file;

// The largest address that off_t holds.
static const haddr_t largest = ((haddr_t)1 << 62) - 1;

static void disown(chdf5_channel *channel) {
  if (--channel->owners == 0) free(channel);
}

static void fail(chdf5_channel *channel, int error) {
  if (!channel->error) channel->error = error;
  channel->descriptor = -1;
}

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)name, (void)flags, (void)most;
  chdf5_channel *const *channel = H5Pget_driver_info(access);
  if (!channel || !*channel) return NULL;
  channel_file *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->channel = *channel;
  file->channel->owners++;
  file->end = file->channel->count;
  return &file->base;
}

static herr_t close_file(H5FD_t *base) {
  channel_file *file = (channel_file *)base;
  disown(file->channel);
  free(file);
  return 0;
}

// The features of the library's own driver of plain files.
static herr_t query(const H5FD_t *base, unsigned long *features) {
  (void)base;
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t get_allocated(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const channel_file *)base)->allocated;
}

static herr_t set_allocated(H5FD_t *base, H5FD_mem_t type, haddr_t address) {
  (void)type;
  ((channel_file *)base)->allocated = address;
  return 0;
}

static haddr_t get_end(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const channel_file *)base)->end;
}

static herr_t read_bytes(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address,
                         size_t count, void *buffer) {
  (void)type, (void)transfer;
  channel_file *file = (channel_file *)base;
  chdf5_channel *channel = file->channel;
  if (address > largest || count > largest - address) return -1;
  // Beyond the end are zeros, as the library expects of its drivers.
  size_t there = address >= file->end              ? 0
                 : count > file->end - address ? (size_t)(file->end - address)
                                                   : count;
  char *bytes = buffer;
  size_t done = 0;
  while (done < there && channel->descriptor >= 0) {
    ssize_t got = pread(channel->descriptor, bytes + done, there - done,
                        (off_t)(channel->start + address + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(channel, errno);
    if (got <= 0) break;
    done += (size_t)got;
  }
  memset(bytes + done, 0, count - done);
  return 0;
}

static herr_t write_bytes(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address,
                          size_t count, const void *buffer) {
  (void)type, (void)transfer;
  channel_file *file = (channel_file *)base;
  chdf5_channel *channel = file->channel;
  if (address > largest || count > largest - address) return -1;
  const char *bytes = buffer;
  size_t done = 0;
  while (done < count && channel->descriptor >= 0) {
    ssize_t put = pwrite(channel->descriptor, bytes + done, count - done, (off_t)(address + done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      fail(channel, put < 0 ? errno : ENOSPC);
      break;
    }
    done += (size_t)put;
  }
  if (address + count > file->end) file->end = address + count;
  return 0;
}

// The file is as long as what was allocated in it, or readers take it for truncated.
static herr_t truncate_file(H5FD_t *base, hid_t transfer, hbool_t closing) {
  (void)transfer, (void)closing;
  channel_file *file = (channel_file *)base;
  chdf5_channel *channel = file->channel;
  if (file->end == file->allocated) return 0;
  if (channel->descriptor >= 0 && ftruncate(channel->descriptor, (off_t)file->allocated) != 0)
    fail(channel, errno);
  file->end = file->allocated;
  return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value = 505,  // of the range for drivers that are registered nowhere
#endif
    .name = "aviary",
    .maxaddr = ((haddr_t)1 << 62) - 1,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(chdf5_channel *),
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_allocated,
    .set_eoa = set_allocated,
    .get_eof = get_end,
    .read = read_bytes,
    .write = write_bytes,
    .truncate = truncate_file,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

chdf5_channel *chdf5_channel_make(int descriptor, uint64_t start, uint64_t count) {
  chdf5_channel *channel = calloc(1, sizeof *channel);
  if (channel) *channel = (chdf5_channel){descriptor, 0, 1, start, count};
  return channel;
}

int chdf5_channel_error(const chdf5_channel *channel) { return channel->error; }

void chdf5_channel_release(chdf5_channel *channel) {
  channel->descriptor = -1;
  disown(channel);
}

int chdf5_channel_use(chdf5_channel *channel, int64_t access) {
  // Every call of the library is made under one lock, this one too.
  static hid_t registered = -1;
  if (registered < 0) registered = H5FDregister(&driver);
  return registered < 0 ? -1 : H5Pset_driver(access, registered, &channel);
}
