#pragma once
#include <stdbool.h>
#include <stdint.h>

// A driver of libhdf5 that reads and writes a range of an open descriptor: the library itself opens
// no file, and learns nothing of a disk that is full. It recovers badly from that: it keeps the
// half-written file and tries again. So the first failure is kept for who asks, nothing is written
// from then on, and the library is told that all is well.
//
// Identifiers of the library are int64_t here, as hid_t is, so that this header stands alone.

// The range, shared by its maker and the library's file.
typedef struct chdf5_channel chdf5_channel;

// A channel, or NULL without memory. It never closes the descriptor. For reading, the file is the
// `count` bytes from `start`; for writing it begins at 0 and grows.
chdf5_channel *chdf5_channel_make(int descriptor, uint64_t start, uint64_t count);

// The value of errno of the first read or write that failed; 0 if none did.
int chdf5_channel_error(const chdf5_channel *channel);

// Gives the maker's share back. The descriptor is not touched afterwards, whatever the library does.
void chdf5_channel_release(chdf5_channel *channel);

// Makes a property list of file access use the channel; negative if the library refuses.
int chdf5_channel_use(chdf5_channel *channel, int64_t access);
