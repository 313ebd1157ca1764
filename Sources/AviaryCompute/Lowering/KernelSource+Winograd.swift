import CKernels

extension KernelSource {
  /// A 3x3 kernel as Winograd's F(4x4, 3x3) multiplies with it.
  ///
  /// - Parameters:
  ///   - rows: the kernel's rows in the order in which they meet the picture's.
  ///   - descriptor: of 36 matrices, channels by filters, with room for groups of 16.
  func winograd(
    rows: [Int], columns: [Int], shape: WinogradShape, _ descriptor: MemoryDescriptor
  ) -> Constant {
    let plain = kernel(rows: rows, columns: columns, descriptor)
    return Constant(
      key: key(.winograd(rows: rows, columns: columns)), descriptor: descriptor,
      shape: [WinogradShape.products, shape.depth, shape.width]
    ) { weights throws(ComputeError) in
      let kernel = try plain.make(weights)
      var result = [Float](
        repeating: 0, count: WinogradShape.products * shape.depth * shape.width)
      unsafe kernel.withUnsafeBufferPointer { kernel in
        unsafe result.withUnsafeMutableBufferPointer { result in
          unsafe aviary_winograd_weights(
            kernel.baseAddress, filters, channels, result.baseAddress, shape.depth, shape.width)
        }
      }
      return result
    }
  }
}
