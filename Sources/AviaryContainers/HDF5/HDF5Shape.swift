/// The dimensions of a data set or attribute.
struct HDF5Shape {
  /// Empty for a scalar.
  private(set) var dimensions: [Int] = []
  /// How many elements these are.
  let count: Int

  /// Reads a message of a data space.
  init(_ message: HDF5Block) throws(HDF5Outline.Uncommon) {
    let (version, rank) = (try message.number(0, 1), try message.number(1, 1))
    let (flags, kind) = (try message.number(2, 1), try message.number(3, 1))
    // Of version 2 a scalar, or dimensions; of version 1 no permutation of them.
    guard flags <= 1, version == 1 || version == 2 && kind == (rank == 0 ? 0 : 1) else {
      throw HDF5Outline.Uncommon()
    }
    var most = 1
    for i in 0..<rank {
      let dimension = try message.number((version == 1 ? 8 : 4) + 8 * i, 8)
      // So many no tensor has, even where another dimension is 0.
      let (product, overflow) = most.multipliedReportingOverflow(by: max(dimension, 1))
      guard !overflow, product < 1 << 48 else { throw HDF5Outline.Uncommon() }
      most = product
      dimensions.append(dimension)
    }
    count = dimensions.contains(0) ? 0 : most
  }
}
