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
  /// - Throws: `TensorError.step` for a tensor of fewer dimensions or elements, or a negative
  ///   number.
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

/// Elements taken from one array and put into another in another order of the dimensions.
///
/// Going through either array from end to end would touch a cache line of the other for each
/// element, over and over. So the range of indices is halved along its longest dimension again and
/// again until what is left is a small block. That goes through a buffer: where sizes are powers of
/// two, the lines of a block share so few places of the cache that none stays until its next
/// element is wanted.
struct Gathering {
  /// The dimensions of the target, those joined that lie next to one another in both arrays.
  private var sizes: [Int] = []
  /// How many elements apart neighbours along each dimension are, in either array.
  private var (sourceStrides, targetStrides): ([Int], [Int]) = ([], [])
  /// The dimensions as they lie in the source, the fastest last.
  private var sourceOrder: [Int] = []

  /// The elements of a block: 256 KiB of float32, for the second-level cache, so that several lines
  /// lie in a row in either array.
  private static let block = 1 << 16

  /// - Parameters:
  ///   - shape: of the target, whose elements lie in row-major order; no size is 0.
  ///   - sourceStrides: how many elements apart neighbours along each of its dimensions are in the
  ///     source.
  init(_ shape: [Int], sourceStrides strides: [Int]) {
    for (size, stride) in zip(shape, strides) where size != 1 {
      if let last = sizes.indices.last, sourceStrides[last] == stride * size {
        sizes[last] *= size
        sourceStrides[last] = stride
      } else {
        sizes.append(size)
        sourceStrides.append(stride)
      }
    }
    if sizes.isEmpty { (sizes, sourceStrides) = ([1], [1]) }
    targetStrides = Self.strides(of: sizes, Array(sizes.indices))
    sourceOrder = sizes.indices.sorted { sourceStrides[$0] > sourceStrides[$1] }
  }

  /// The strides of dimensions that lie in an order, the fastest last, without gaps.
  private static func strides(of sizes: [Int], _ order: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: sizes.count)
    var stride = 1
    for d in order.reversed() {
      strides[d] = stride
      stride *= sizes[d]
    }
    return strides
  }

  /// Moves all elements.
  func run<Element: BitwiseCopyable>(
    _ type: Element.Type, _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer
  ) {
    let (source, target) = unsafe (source.bindMemory(to: type), target.bindMemory(to: type))
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    unsafe withUnsafeTemporaryAllocation(of: type, capacity: Self.block) { buffer in
      guard let buffer = buffer.baseAddress else { return }
      var sizes = sizes
      unsafe move(&sizes, from, to, buffer)
    }
  }

  private func move<Element>(
    _ sizes: inout [Int], _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>,
    _ buffer: UnsafeMutablePointer<Element>
  ) {
    guard sizes.reduce(1, *) > Self.block else {
      let between = Self.strides(of: sizes, sourceOrder)
      unsafe Self.copy(
        sizes, sourceOrder, UnsafePointer(source), sourceStrides, buffer, between)
      unsafe Self.copy(
        sizes, Array(sizes.indices), UnsafePointer(buffer), between, target, targetStrides)
      return
    }
    var longest = 0
    for d in sizes.indices where sizes[d] > sizes[longest] { longest = d }
    let whole = sizes[longest]
    // Whole cache lines, as long as there is more than one.
    let half = whole >= 32 ? whole / 2 / 16 * 16 : whole / 2
    sizes[longest] = half
    unsafe move(&sizes, source, target, buffer)
    sizes[longest] = whole - half
    unsafe move(
      &sizes, source + half * sourceStrides[longest], target + half * targetStrides[longest],
      buffer)
    sizes[longest] = whole
  }

  /// Copies a block, going through its dimensions in an order, the fastest last.
  private static func copy<Element>(
    _ sizes: [Int], _ order: [Int], _ source: UnsafePointer<Element>, _ sourceStrides: [Int],
    _ target: UnsafeMutablePointer<Element>, _ targetStrides: [Int]
  ) {
    let inner = order[order.count - 1]
    let (count, step, stride) = (sizes[inner], sourceStrides[inner], targetStrides[inner])
    var index = [Int](repeating: 0, count: sizes.count)
    var (from, to) = (0, 0)
    while true {
      if step == 1, stride == 1 {
        unsafe (target + to).update(from: source + from, count: count)
      } else {
        for i in 0..<count { unsafe target[to + i * stride] = source[from + i * step] }
      }
      // The next index: the fastest dimension first, carrying into those before it.
      var place = order.count - 2
      while place >= 0 {
        let d = order[place]
        index[d] += 1
        from += sourceStrides[d]
        to += targetStrides[d]
        if index[d] < sizes[d] { break }
        from -= sourceStrides[d] * sizes[d]
        to -= targetStrides[d] * sizes[d]
        index[d] = 0
        place -= 1
      }
      if place < 0 { return }
    }
  }
}
