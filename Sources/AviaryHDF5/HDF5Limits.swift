/// What a file may have, far above what files of weights do have.
package enum HDF5Limits {
  /// How deep groups may nest.
  package static let depth = 64
  /// The bytes of one text or attribute; Keras' longest attributes are below 64 KiB, and split.
  package static let text = 16 << 20
  /// The bytes of all texts and attributes together.
  package static let texts = 64 << 20

  /// The groups and data sets of a file of so many bytes: each takes more than 16, unless it is
  /// reached by many links.
  package static func objects(_ byteCount: Int) -> Int { min(1 << 18, byteCount / 16 + 16) }

  /// The bytes of an answer about a file of so many.
  package static func answer(_ byteCount: Int) -> Int {
    min(256 << 20, (1 << 20) + min(byteCount, 256 << 20) * 16)
  }

  /// The bytes of a data set's elements.
  ///
  /// - Throws: `HDF5Error.tooLarge` for more than the file can hold. Deflate makes at most 1032
  ///   bytes of one; elements that were never written count as zeros, which is no reason to hold
  ///   more than a little memory.
  package static func byteCount(
    _ shape: [Int], _ elementSize: Int, stored: Int, isFiltered: Bool, part: String
  ) throws(HDF5Error) -> Int {
    let (most, overflow) = stored.multipliedReportingOverflow(by: isFiltered ? 1032 : 1)
    let limit = (overflow ? .max : min(most, 1 << 33)) + 1 << 20
    var bytes = elementSize
    for dimension in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: max(dimension, 1))
      bytes = overflow ? .max : product
    }
    guard bytes <= limit else {
      throw .tooLarge(part: "\(part), shape \(shape), bytes", limit: limit, found: bytes)
    }
    return shape.contains(0) ? 0 : bytes
  }
}
