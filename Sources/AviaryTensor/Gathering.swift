/// Elements taken from one array and put into another in another order of the dimensions.
///
/// Going through either array from end to end would touch a cache line of the other for each element,
/// over and over. So the range of indices is halved along its longest dimension again and again until
/// what is left fits the first-level cache on both sides, whatever sizes that has.
struct Gathering {
  /// The dimensions of the target, those joined that lie next to one another in both arrays.
  private var sizes: [Int] = []
  /// How many elements apart neighbours along each dimension are, in either array.
  private var (sourceStrides, targetStrides): ([Int], [Int]) = ([], [])

  /// The elements that are moved without halving any more: twice 16 KiB of float32.
  private static let block = 4096

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
    targetStrides = [Int](repeating: 1, count: sizes.count)
    for d in sizes.indices.dropLast().reversed() {
      targetStrides[d] = targetStrides[d + 1] * sizes[d + 1]
    }
  }

  /// Moves all elements.
  func run<Element>(
    _ type: Element.Type, _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer
  ) {
    var sizes = sizes
    unsafe move(
      &sizes, source.bindMemory(to: type), target.bindMemory(to: type), from: 0, to: 0)
  }

  private func move<Element>(
    _ sizes: inout [Int], _ source: UnsafeBufferPointer<Element>,
    _ target: UnsafeMutableBufferPointer<Element>, from: Int, to: Int
  ) {
    var longest = 0
    for d in sizes.indices where sizes[d] > sizes[longest] { longest = d }
    guard sizes.reduce(1, *) > Self.block, sizes.count > 1 else {
      unsafe copy(sizes[...], source, target, from: from, to: to)
      return
    }
    let whole = sizes[longest]
    // Whole cache lines, as long as there is more than one.
    let half = whole >= 32 ? whole / 2 / 16 * 16 : whole / 2
    sizes[longest] = half
    unsafe move(&sizes, source, target, from: from, to: to)
    sizes[longest] = whole - half
    unsafe move(
      &sizes, source, target, from: from + half * sourceStrides[longest],
      to: to + half * targetStrides[longest])
    sizes[longest] = whole
  }

  private func copy<Element>(
    _ sizes: ArraySlice<Int>, _ source: UnsafeBufferPointer<Element>,
    _ target: UnsafeMutableBufferPointer<Element>, from: Int, to: Int
  ) {
    let d = sizes.startIndex
    let (step, stride) = (sourceStrides[d], targetStrides[d])
    if sizes.count == 1 {
      for i in 0..<sizes[d] { unsafe target[to + i] = source[from + i * step] }
      return
    }
    for i in 0..<sizes[d] {
      unsafe copy(sizes.dropFirst(), source, target, from: from + i * step, to: to + i * stride)
    }
  }
}
