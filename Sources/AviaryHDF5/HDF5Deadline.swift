/// How long a reader may compute.
package enum HDF5Deadline {
  /// Seconds for the walk through a file, or for so many bytes of elements at 16 MB/s, which even
  /// deflate in small chunks surpasses.
  package static func seconds(elements byteCount: Int) -> Int { 10 + byteCount / (16 << 20) }
}
