import CKernels

extension WeightPacking {
  /// A 3x3 kernel as Winograd's algorithm multiplies with it.
  ///
  /// - Parameters:
  ///   - rows: the kernel's rows in the order in which they meet the picture's; of a transposed
  ///     convolution of stride 2, in its own order.
  ///   - descriptor: of a matrix for each product, channels by filters, with room for groups of 16.
  func winograd(
    rows: [Int], columns: [Int], shape: WinogradShape, _ descriptor: MemoryDescriptor
  ) -> PackedConstant {
    let plain = kernel(rows: rows, columns: columns, descriptor)
    return PackedConstant(
      key: key(.winograd(shape.format, rows: rows, columns: columns)), descriptor: descriptor,
      shape: [shape.format.products, shape.depth, shape.width]
    ) { weights throws(ComputeError) in
      let kernel = try plain.make(weights)
      var result = [Float](
        repeating: 0, count: shape.format.products * shape.depth * shape.width)
      unsafe kernel.withUnsafeBufferPointer { kernel in
        unsafe result.withUnsafeMutableBufferPointer { result in
          unsafe aviary_winograd_weights(
            shape.format.forC, kernel.baseAddress, outChannels, channels, result.baseAddress,
            shape.depth, shape.width)
        }
      }
      return result
    }
  }
}
