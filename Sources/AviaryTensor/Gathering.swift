/// Elements taken from one array and put into another in another order of the dimensions.
///
/// Going through either array from end to end would touch a cache line of the other for each element,
/// over and over. So the range of indices is halved along its longest dimension again and again until
/// what is left is a small block. That goes through a buffer: where sizes are powers of two, the lines
/// of a block share so few places of the cache that none stays until its next element is wanted.
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
