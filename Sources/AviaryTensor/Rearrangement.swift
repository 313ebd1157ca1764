// Changes of layout: the elements stay what they are, whatever their type.

extension Tensor {
  /// The dimensions in another order: dimension i of the result is dimension `order[i]` of this.
  ///
  /// - Throws: `TensorError.step` for an order that is no permutation of the dimensions.
  public func permuted(_ order: [Int]) throws(TensorError) -> Tensor {
    guard order.sorted() == Array(shape.indices) else {
      throw .step("permuted by \(order)", shape: shape)
    }
    var strides = [Int](repeating: 1, count: shape.count)
    for d in shape.indices.dropLast().reversed() { strides[d] = strides[d + 1] * shape[d + 1] }
    return try gathered(order.map { shape[$0] }, strides: order.map { strides[$0] })
  }

  /// The slices along a dimension in another order: slice i of the result is slice `indices[i]` of
  /// this.
  ///
  /// - Throws: `TensorError.step` for a dimension or slices that are not there.
  public func reordered(_ dimension: Int, _ indices: [Int]) throws(TensorError) -> Tensor {
    guard shape.indices.contains(dimension), indices.count == shape[dimension],
      indices.allSatisfy((0..<shape[dimension]).contains)
    else { throw .step("reordered along dimension \(dimension)", shape: shape) }
    let outer = shape[..<dimension].reduce(1, *)
    let inner = shape[(dimension + 1)...].reduce(elementType.byteCount, *)
    var result = try Tensor(zeros: shape, elementType: elementType)
    if count == 0 { return result }
    unsafe result.withUnsafeMutableBytes { target in
      unsafe withUnsafeBytes { source in
        for block in 0..<outer {
          for (i, index) in indices.enumerated() {
            let from = (block * indices.count + index) * inner
            let to = (block * indices.count + i) * inner
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[to..<to + inner])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<from + inner]))
          }
        }
      }
    }
    return result
  }

  /// Zeros around the last two dimensions.
  ///
  /// - Parameter edges: how many at the top, left, bottom and right.
  /// - Throws: `TensorError.step` for a tensor of fewer dimensions, or a negative number.
  public func padded(_ edges: [Int]) throws(TensorError) -> Tensor {
    guard shape.count >= 2, edges.count == 4, edges.allSatisfy({ $0 >= 0 }) else {
      throw .step("padded by \(edges)", shape: shape)
    }
    let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
    let (tall, wide) = (height + edges[0] + edges[2], width + edges[1] + edges[3])
    var result = try Tensor(zeros: shape.dropLast(2) + [tall, wide], elementType: elementType)
    if count == 0 { return result }
    let size = elementType.byteCount
    unsafe result.withUnsafeMutableBytes { target in
      unsafe withUnsafeBytes { source in
        for row in 0..<shape.dropLast().reduce(1, *) {
          let (plane, y) = row.quotientAndRemainder(dividingBy: height)
          let from = row * width * size
          let to = ((plane * tall + y + edges[0]) * wide + edges[1]) * size
          unsafe UnsafeMutableRawBufferPointer(rebasing: target[to..<to + width * size])
            .copyMemory(
              from: UnsafeRawBufferPointer(rebasing: source[from..<from + width * size]))
        }
      }
    }
    return result
  }

  /// The last two dimensions without their edges.
  ///
  /// - Parameter edges: how many are cut at the top, left, bottom and right.
  /// - Throws: `TensorError.step` for a tensor of fewer dimensions or elements, or a negative number.
  public func cropped(_ edges: [Int]) throws(TensorError) -> Tensor {
    guard shape.count >= 2, edges.count == 4, edges.allSatisfy({ $0 >= 0 }),
      edges[0] + edges[2] <= shape[shape.count - 2], edges[1] + edges[3] <= shape[shape.count - 1]
    else { throw .step("cropped by \(edges)", shape: shape) }
    let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
    let (short, narrow) = (height - edges[0] - edges[2], width - edges[1] - edges[3])
    var result = try Tensor(
      zeros: shape.dropLast(2) + [short, narrow], elementType: elementType)
    if result.count == 0 { return result }
    let size = elementType.byteCount
    unsafe result.withUnsafeMutableBytes { target in
      unsafe withUnsafeBytes { source in
        for row in 0..<shape.dropLast(2).reduce(1, *) * short {
          let (plane, y) = row.quotientAndRemainder(dividingBy: short)
          let from = ((plane * height + y + edges[0]) * width + edges[1]) * size
          let to = row * narrow * size
          unsafe UnsafeMutableRawBufferPointer(rebasing: target[to..<to + narrow * size])
            .copyMemory(
              from: UnsafeRawBufferPointer(rebasing: source[from..<from + narrow * size]))
        }
      }
    }
    return result
  }

  /// A tensor of another shape whose elements lie `strides` elements apart in this one.
  private func gathered(_ target: [Int], strides: [Int]) throws(TensorError) -> Tensor {
    var result = try Tensor(zeros: target, elementType: elementType)
    if count == 0 { return result }
    let gathering = Gathering(target, sourceStrides: strides)
    unsafe result.withUnsafeMutableBytes { bytes in
      unsafe withUnsafeBytes { source in
        switch elementType.byteCount {
        case 1: unsafe gathering.run(UInt8.self, source, bytes)
        case 2: unsafe gathering.run(UInt16.self, source, bytes)
        case 4: unsafe gathering.run(UInt32.self, source, bytes)
        default: unsafe gathering.run(UInt64.self, source, bytes)
        }
      }
    }
    return result
  }
}
