#pragma once
#include <hdf5.h>
#include <string.h>

// Wrappers for what Swift cannot import from <hdf5.h>. HDF5's identifiers of classes and types are
// macros with a hidden call to H5open(), its flags are macros with a comma expression, and some of
// its functions are macros that pick a version: none of these becomes a Swift name.

// Property list classes: macros that call H5open().
static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_data_set_creation(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }

// Flags of H5Fopen and H5Fcreate: macros with a comma expression.
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }

// Whole-extent selection: a macro with a cast.
static inline hid_t chdf5_all(void) { return H5S_ALL; }

// Variable length: a macro with a cast of -1 to size_t.
static inline size_t chdf5_variable(void) { return H5T_VARIABLE; }

// Predefined types: macros that call H5open().
static inline hid_t chdf5_string(void) { return H5T_C_S1; }
static inline hid_t chdf5_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_float64(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_int8(void) { return H5T_STD_I8LE; }
static inline hid_t chdf5_int16(void) { return H5T_STD_I16LE; }
static inline hid_t chdf5_int32(void) { return H5T_STD_I32LE; }
static inline hid_t chdf5_int64(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_uint16(void) { return H5T_STD_U16LE; }
static inline hid_t chdf5_uint32(void) { return H5T_STD_U32LE; }
static inline hid_t chdf5_uint64(void) { return H5T_STD_U64LE; }

// IEEE 754 binary16, which HDF5 1.10 does not predefine: float32 with other bit fields.
static inline hid_t chdf5_float16(void) {
  hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  if (type < 0) return type;
  if (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 ||
      H5Tset_ebias(type, 15) < 0) {
    H5Tclose(type);
    return -1;
  }
  return type;
}

// Functions that newer versions of the library turn into macros.
static inline herr_t chdf5_iterate(hid_t group, H5L_iterate_t visit, void *context) {
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, context);
}
static inline herr_t chdf5_attributes(hid_t object, H5A_operator2_t visit, void *context) {
  return H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, context);
}
static inline herr_t chdf5_link_kind(hid_t group, const char *name, H5L_type_t *kind) {
  H5L_info_t info;
  herr_t status = H5Lget_info(group, name, &info, H5P_DEFAULT);
  *kind = status < 0 ? H5L_TYPE_ERROR : info.type;
  return status;
}

// The error stack of the thread as one line, innermost first. In C because the stack is walked by
// a callback whose argument is a struct behind a versioned macro.
typedef struct {
  char *text;
  size_t size, used;
  int depth;
} chdf5_message;

static inline herr_t chdf5_append(unsigned n, const H5E_error2_t *error, void *context) {
  (void)n;
  chdf5_message *message = context;
  if (!error->desc || message->depth++ >= 3) return 0;
  size_t length = strlen(error->desc), separator = message->used ? 2 : 0;
  if (message->used + separator + length + 1 > message->size) return 0;
  memcpy(message->text + message->used, "; ", separator);
  memcpy(message->text + message->used + separator, error->desc, length + 1);
  message->used += separator + length;
  return 0;
}

static inline void chdf5_error(char *text, size_t size) {
  chdf5_message message = {text, size, 0, 0};
  text[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, chdf5_append, &message);
}

// HDF5 prints every error to standard error unless told not to, separately in each thread.
static inline void chdf5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
