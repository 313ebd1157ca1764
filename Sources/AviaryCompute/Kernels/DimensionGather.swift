import AviaryThreads

extension MemoryFormat {
  /// For each dimension as it lies in memory, outermost first, that of the shape.
  fileprivate func order(rank: Int) -> [Int] {
    switch self {
    case .nchw: Array(0..<rank)
    case .nhwc: [0, 2, 3, 1]
    case .nChw16c: [0, 1, 2, 3, 1]
    }
  }
}

/// Along which dimensions elements are moved, repeated or left out, and how: neighbouring dimensions
/// that stay as they are count as one.
private struct GatherAxes {
  struct Axis {
    /// How many elements the source and the result have.
    var source: Int
    var result: Int
    /// Which element of the source stands at each place of the result; -1 for none; nil where all
    /// stay as they are.
    var table: [Int]?
  }

  private(set) var outer: [Axis] = []
  private(set) var inner = Axis(source: 1, result: 1)

  /// - Parameters:
  ///   - shape: the source's, with as many dimensions as the result.
  ///   - tables: by dimension.
  init(_ shape: [Int], _ tables: [Int: [Int]], _ memoryFormat: MemoryFormat) {
    let sizes = Broadcast.dimensions(shape, memoryFormat)
    for (size, dimension) in zip(sizes, memoryFormat.order(rank: shape.count)) {
      let table = tables[dimension]
      if table == nil, let last = outer.last, last.table == nil {
        outer[outer.count - 1].source *= size
        outer[outer.count - 1].result *= size
      } else {
        outer.append(Axis(source: size, result: table?.count ?? size, table: table))
      }
    }
    if let last = outer.popLast() { inner = last }
  }
}

/// Makes a value of the elements of another, by a table for each dimension along which they are
/// moved, repeated or left out.
struct DimensionGather {
  private let axes: GatherAxes
  /// What stands where a table has no element.
  private let filling: Float
  /// The elements of the source from one to the next along each outer axis.
  private let strides: [Int]
  /// The places of a row that are one stretch of the source, copied at once.
  private let stretch: Range<Int>

  /// - Parameters:
  ///   - shape: the source's, with as many dimensions as the result.
  ///   - tables: for each dimension that changes, which element of the source stands at each place;
  ///     -1 for the filling.
  init(_ shape: [Int], _ tables: [Int: [Int]], _ memoryFormat: MemoryFormat, filling: Double = 0) {
    axes = GatherAxes(shape, tables, memoryFormat)
    self.filling = Float(filling)
    var strides: [Int] = []
    var stride = axes.inner.source
    for axis in axes.outer.reversed() {
      strides.append(stride)
      stride *= axis.source
    }
    self.strides = strides.reversed()
    stretch = axes.inner.table.map(\.longestRun) ?? 0..<axes.inner.result
  }

  func run(
    _ from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let length = axes.inner.result
    workers.split(axes.outer.reduce(1) { $0 * $1.result }, cost: length) { range in
      for row in range {
        let target = unsafe to + row * length
        guard let start = offset(ofRow: row) else {
          unsafe target.update(repeating: filling, count: length)
          continue
        }
        let source = unsafe from + start
        guard let table = axes.inner.table else {
          unsafe target.update(from: source, count: length)
          continue
        }
        for i in 0..<stretch.lowerBound {
          unsafe target[i] = table[i] < 0 ? filling : source[table[i]]
        }
        if !stretch.isEmpty {
          unsafe (target + stretch.lowerBound)
            .update(from: source + table[stretch.lowerBound], count: stretch.count)
        }
        for i in stretch.upperBound..<length {
          unsafe target[i] = table[i] < 0 ? filling : source[table[i]]
        }
      }
    }
  }

  /// Where the source's part of a row of the result begins; nil where it has none.
  private func offset(ofRow row: Int) -> Int? {
    var (rest, offset) = (row, 0)
    for (i, axis) in axes.outer.enumerated().reversed() {
      let (quotient, place) = rest.quotientAndRemainder(dividingBy: axis.result)
      rest = quotient
      let element = axis.table?[place] ?? place
      if element < 0 { return nil }
      offset += element * strides[i]
    }
    return offset
  }
}

/// The adjoint of `DimensionGather`: each element of the source gets the sum of what its copies get.
///
/// An element is summed by one thread in one order, in double precision, so that the result does not
/// depend on how many threads there are.
struct DimensionGatherGradient {
  private let axes: GatherAxes
  /// For each axis at which places of the result each element of the source stands; nil where all
  /// stay as they are.
  private let outerLists: [TapLists?]
  private let innerLists: TapLists?
  /// The elements of the result from one to the next along each outer axis.
  private let strides: [Int]

  /// As that of `DimensionGather`.
  init(_ shape: [Int], _ tables: [Int: [Int]], _ memoryFormat: MemoryFormat) {
    axes = GatherAxes(shape, tables, memoryFormat)
    func lists(_ axis: GatherAxes.Axis) -> TapLists? {
      axis.table.map { TapLists(transposing: $0, inputs: axis.source) }
    }
    outerLists = axes.outer.map(lists)
    innerLists = lists(axes.inner)
    var strides: [Int] = []
    var stride = axes.inner.result
    for axis in axes.outer.reversed() {
      strides.append(stride)
      stride *= axis.result
    }
    self.strides = strides.reversed()
  }

  /// - Parameters:
  ///   - gradient: that of the result.
  ///   - sums: that of the source.
  func run(
    _ gradient: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let length = axes.inner.source
    let cost = length * outerLists.reduce(innerLists?.most ?? 1) { $0 * max($1?.most ?? 1, 1) }
    workers.split(axes.outer.reduce(1) { $0 * $1.source }, cost: cost) { range in
      unsafe withUnsafeTemporaryAllocation(of: Double.self, capacity: length) { totals in
        guard let totals = totals.baseAddress else { return }
        for row in range {
          unsafe totals.update(repeating: 0, count: length)
          unsafe addCopies(ofRow: row, axis: axes.outer.count - 1, gradient, to: totals)
          for i in 0..<length { unsafe sums[row * length + i] = Float(totals[i]) }
        }
      }
    }
  }

  /// Adds the rows of the result that a row of the source stands in.
  ///
  /// - Parameters:
  ///   - rest: the number of the row, as far as its axes from `axis` outwards tell.
  ///   - gradient: where the axes further in begin.
  private func addCopies(
    ofRow rest: Int, axis: Int, _ gradient: UnsafePointer<Float>,
    to totals: UnsafeMutablePointer<Double>
  ) {
    guard axis >= 0 else {
      unsafe addRow(gradient, to: totals)
      return
    }
    let (outer, element) = rest.quotientAndRemainder(dividingBy: axes.outer[axis].source)
    guard let lists = outerLists[axis] else {
      unsafe addCopies(
        ofRow: outer, axis: axis - 1, gradient + element * strides[axis], to: totals)
      return
    }
    for tap in lists.starts[element]..<lists.starts[element + 1] {
      unsafe addCopies(
        ofRow: outer, axis: axis - 1, gradient + lists.positions[tap] * strides[axis], to: totals)
    }
  }

  private func addRow(_ row: UnsafePointer<Float>, to totals: UnsafeMutablePointer<Double>) {
    guard let lists = innerLists else {
      for i in 0..<axes.inner.source { unsafe totals[i] += Double(row[i]) }
      return
    }
    for i in 0..<axes.inner.source {
      for tap in lists.starts[i]..<lists.starts[i + 1] {
        unsafe totals[i] += Double(row[lists.positions[tap]])
      }
    }
  }
}

extension [Int] {
  /// The longest stretch of places whose numbers are 0 or more and follow one another.
  var longestRun: Range<Int> {
    var longest = 0..<0
    var first = 0
    while first < count {
      var end = first + 1
      while end < count, self[first] >= 0, self[end] == self[first] + end - first { end += 1 }
      if self[first] >= 0, end - first > longest.count { longest = first..<end }
      first = end
    }
    return longest
  }
}
