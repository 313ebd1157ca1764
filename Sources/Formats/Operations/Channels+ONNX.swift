import AviaryGraph

/// Values put side by side and taken apart.
extension ONNXReader {
  mutating func concatenation() throws(InterchangeError) -> ONNXOperand {
    if let padded = try lengthened() { return .value(padded) }
    if let places = try placesOfBothAxes() { return places }
    var values: [Int] = []
    for input in node.inputs.indices {
      if case .part(.empty) = try given(input) { continue }
      values.append(try value(input))
    }
    guard let first = values.first, let axis = node.integer("axis") else {
      throw unsupported("expected inputs and an axis")
    }
    let dimension = try self.axis(axis, rank: rank(first))
    if values.count == 1 { return .value(first) }
    if let whole = try joined(values, dimension) { return .value(whole) }
    return .value(try add(.concatenate(Concatenate(dimension: dimension)), values))
  }

  /// Two neighbouring parts of one value put together again; nil where they are anything else.
  mutating func joined(_ values: [Int], _ dimension: Int) throws(InterchangeError) -> Int? {
    guard values.count == 2, let a = section(values[0]), let b = section(values[1]),
      a.of == b.of, a.dimension == dimension, b.dimension == dimension
    else { return nil }
    if a.start == 0, b.end == nil, a.end == b.start { return a.of }
    // What leaves on one side comes in on the other.
    guard a.end == nil, b.start == 0, let middle = b.end, middle == a.start else { return nil }
    return try add(.roll(Roll(shifts: [-middle], dimensions: [dimension])), [a.of])
  }

  /// What a value is the neighbouring elements of along one dimension: places below 0 count from the
  /// end, which is nil; nil for any other value.
  private func section(
    _ value: Int
  ) -> (of: Int, dimension: Int, start: Int, end: Int?)? {
    guard let source = source(value) else { return nil }
    let input = source.inputs[0]
    switch source.op {
    case .stridedSlice(let slice) where slice.step == 1:
      let isWhole = shapes[input].allSatisfy { $0[slice.dimension] == slice.end }
      return (input, slice.dimension, slice.start ?? 0, isWhole ? nil : slice.end)
    case .slice(let slice):
      let end = slice.start + slice.count
      return (input, 1, slice.start, end == shapes[input][0][1] ? nil : end)
    case .crop(let crop):
      let (a, b) = (
        [crop.amounts.top, crop.amounts.left], [crop.amounts.bottom, crop.amounts.right]
      )
      guard let axis = [0, 1].first(where: { a[1 - $0] == 0 && b[1 - $0] == 0 }) else { return nil }
      return (input, 2 + axis, a[axis], b[axis] == 0 ? nil : -b[axis])
    default: return nil
    }
  }

  mutating func slice() throws(InterchangeError) -> ONNXOperand {
    if let part = try sizedSlice() { return part }
    var result = try value(0)
    for range in try sliceRanges() {
      let dimension = try axis(range.axis, rank: rank(result))
      let counts = shapes[result].map {
        ONNXReader.part(range.start, range.end, range.step, of: $0[dimension])?.count
      }
      if counts.allSatisfy({ $0 == 0 }) { return .part(.empty) }
    }
    for range in try sliceRanges() {
      let dimension = try axis(range.axis, rank: rank(result))
      result = try slice(result, dimension, range.start, range.end, range.step)
    }
    return .value(result)
  }

  /// Some of the elements along one dimension.
  private mutating func slice(
    _ input: Int, _ dimension: Int, _ start: Int, _ end: Int, _ step: Int
  ) throws(InterchangeError) -> Int {
    guard step != 0, step.magnitude <= GraphLimits.window else {
      throw unsupported("a step of \(step)")
    }
    let sizes = shapes[input].map { $0[dimension] }
    let limit = GraphLimits.dimension
    // What is beyond any size stands for the ends.
    var slice = StridedSlice(
      dimension: dimension, start: start.magnitude > limit ? nil : start,
      end: end.magnitude > limit ? nil : end, step: step)
    // Nothing is left between these.
    if step < 0, end > limit || start < -limit { throw unsupported("a slice without elements") }
    if step > 0, start > limit { throw unsupported("a slice that begins at \(start)") }
    if step > 0, slice.start == 0 { slice.start = nil }
    if step < 0, slice.start == -1 { slice.start = nil }
    if step > 0 {
      // How much is left out on either side says more than places do, where it is always the same.
      let edges = sizes.map { size in
        let first = slice.places(size).first
        let last = min(max(end < 0 ? size &+ end : end, 0), size)
        return [first, size - last]
      }
      if edges.allSatisfy({ $0 == edges[0] }) {
        return try withoutEdges(input, dimension, edges[0][0], edges[0][1], step)
      }
    }
    // A file that states a size states places for that size, and not for others.
    guard !samples.letsSizeGo || Set(sizes).count == 1 || slice.start == nil && slice.end == nil
    else { throw unsupported("a slice whose edges depend on the size of the image") }
    return try add(.stridedSlice(slice), [input])
  }

  /// What is left of a dimension without so many elements at its ends, of which every so many is
  /// taken.
  private mutating func withoutEdges(
    _ input: Int, _ dimension: Int, _ before: Int, _ after: Int, _ step: Int
  ) throws(InterchangeError) -> Int {
    if step == 1 {
      if before == 0, after == 0 { return input }
      switch dimension {
      case 1:
        let size = shapes[input][0][1]
        return try part(of: input, 1, before..<max(size - after, before))
      case 2 where rank(input) == 4:
        return try add(.crop(Crop(PaddingAmounts(before, 0, after, 0))), [input])
      case 3 where rank(input) == 4:
        return try add(.crop(Crop(PaddingAmounts(0, before, 0, after))), [input])
      default: break
      }
    }
    return try add(
      .stridedSlice(
        StridedSlice(
          dimension: dimension, start: before == 0 ? nil : before, end: after == 0 ? nil : -after,
          step: step)), [input])
  }

  /// A range of a dimension whose size is the same for every image.
  private mutating func part(
    of input: Int, _ dimension: Int, _ range: Range<Int>
  ) throws(InterchangeError) -> Int {
    guard !range.isEmpty else { throw unsupported("a part without elements") }
    return try add(
      dimension == 1
        ? .slice(ChannelSlice(start: range.lowerBound, count: range.count))
        : .stridedSlice(
          StridedSlice(dimension: dimension, start: range.lowerBound, end: range.upperBound)),
      [input])
  }

  mutating func split() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let dimension = try axis(node.integer("axis") ?? 0, rank: rank(input))
    let channels = shapes[input][0][dimension]
    guard shapes[input].allSatisfy({ $0[dimension] == channels }) else {
      throw unsupported("a split of dimension \(dimension), whose size depends on the image's")
    }
    let count = node.outputs.count
    let part = (channels + count - 1) / max(count, 1)
    let sizes =
      try integers(1, "split") ?? (0..<count).map { min(part, max(channels - $0 * part, 0)) }
    guard sizes.count == count, sizes.allSatisfy({ $0 > 0 && $0 <= channels }),
      sizes.reduce(0, +) == channels
    else { throw unsupported("expected parts of \(channels) elements, found \(sizes)") }
    var start = 0
    var first: ONNXOperand?
    for (output, size) in zip(node.outputs, sizes) {
      let part = ONNXOperand.value(
        try self.part(of: input, dimension, start..<start + size))
      operands[output] = part
      first = first ?? part
      start += size
    }
    guard let first else { throw unsupported("expected outputs") }
    return first
  }

  /// Elements along a dimension picked by number.
  mutating func gather() throws(InterchangeError) -> ONNXOperand {
    let stated = node.integer("axis") ?? 0
    if let part = try numbers(1), part.shape.isEmpty,
      let half = try spectrumPart(stated < 0 ? stated + 5 : stated, part.integers?.first)
    {
      return .value(half)
    }
    if let windows = try windowRows() { return windows }
    let input = try value(0)
    let dimension = try axis(stated, rank: rank(input))
    if case .value(let places) = try given(1) {
      return .value(try gathered(input, dimension, at: places))
    }
    guard let indices = try numbers(1), indices.shape.count <= 1, let picked = indices.integers
    else { return try constantGather() }
    let channels = shapes[input][0][dimension]
    guard shapes[input].allSatisfy({ $0[dimension] == channels }) else {
      // A file that states a size states places for that size, and not for others.
      guard !samples.letsSizeGo, !indices.shape.isEmpty else {
        throw unsupported("elements of dimension \(dimension), whose size depends on the image's")
      }
      return try constantGather()
    }
    let places = picked.map { $0 < 0 ? $0 &+ channels : $0 }
    guard !places.isEmpty, places.allSatisfy((0..<channels).contains) else {
      throw unsupported("expected numbers of \(channels) elements")
    }
    if indices.shape.isEmpty {
      let slice = try part(of: input, dimension, places[0]..<places[0] + 1)
      return .value(try dropping([dimension], of: slice))
    }
    // TensorFlow's order of channels turned into PyTorch's.
    if dimension == 1, let source = source(input), case .pixelUnshuffle(let unshuffle) = source.op,
      unshuffle.order == .tensorflow
    {
      let factor = unshuffle.factor
      let (area, depth) = (factor * factor, channels / (factor * factor))
      if places == (0..<channels).map({ $0 % area * depth + $0 / area }) {
        return .value(
          try add(.pixelUnshuffle(PixelUnshuffle(factor: factor, order: .pytorch)), source.inputs))
      }
    }
    // Runs of neighbours, side by side.
    var runs: [(start: Int, count: Int)] = []
    for place in places {
      if let last = runs.last, last.start + last.count == place {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((place, 1))
      }
    }
    guard runs.count <= 64 else { return try constantGather() }
    if runs.count == 1, runs[0] == (0, channels) { return .value(input) }
    var parts: [Int] = []
    for run in runs {
      parts.append(try part(of: input, dimension, run.start..<run.start + run.count))
    }
    return .value(
      parts.count == 1
        ? parts[0] : try add(.concatenate(Concatenate(dimension: dimension)), parts))
  }
}

extension ONNXReader {
  /// Elements along a dimension at calculated places, which are the same for all other dimensions.
  private mutating func gathered(
    _ input: Int, _ dimension: Int, at places: Int
  ) throws(InterchangeError) -> Int {
    let (own, other) = (shapes[input], shapes[places])
    let rank = rank(input)
    guard rank + other[0].count - 1 <= GraphLimits.rank else {
      throw unsupported("a result of more than \(GraphLimits.rank) dimensions")
    }
    let row = try reshaped(
      places,
      to: other.map { shape in
        (0..<rank).map { $0 == dimension ? shape.reduce(1, *) : 1 }
      })
    // Nothing is less than itself, NaN included: zeros, of which each line gets the places.
    let line = try part(of: input, dimension, 0..<1)
    let zeros = try add(.binary(.less), [line, line])
    let all = try add(.binary(.add), [zeros, row])
    let result = try add(GatherElements(dimension: dimension).op, [input, all])
    return try reshaped(
      result,
      to: zip(own, other).map { $0[..<dimension] + $1 + $0[(dimension + 1)...] })
  }

  /// A slice whose places depend on the size of the image; nil where they are constants.
  private mutating func sizedSlice() throws(InterchangeError) -> ONNXOperand? {
    guard let starts = try numbers(1), let ends = try numbers(2),
      starts.constant == nil || ends.constant == nil
    else { return nil }
    let input = try value(0)
    let steps = try integers(4, "steps") ?? [Int](repeating: 1, count: starts.count)
    let axes = try integers(3, "axes") ?? Array(0..<starts.count)
    guard axes.count == starts.count, ends.count == starts.count, steps.count == starts.count
    else { throw unsupported("expected as many starts as ends, axes and steps") }
    if axes.count == 1 {
      let dimension = try axis(axes[0], rank: rank(input))
      var places: [[Int]] = []
      for (sample, shape) in shapes[input].enumerated() {
        guard let start = starts.row(sample).wholeNumbers?.first,
          let end = ends.row(sample).wholeNumbers?.first,
          let part = ONNXReader.part(start, end, steps[0], of: shape[dimension])
        else { throw unsupported("places of a slice: expected whole numbers and a step above 0") }
        places.append([part.first, part.count])
      }
      if places.allSatisfy({ $0[1] == 0 }) { return .part(.empty) }
      if steps[0] == 1, let part = try slice(input, dimension, places) { return .value(part) }
      do {
        return .value(try sizedCrop(input, starts, ends))
      } catch {
        guard let lines = missingLines(input, dimension, places, step: steps[0]) else {
          throw error
        }
        return .part(.missing(lines))
      }
    }
    return .value(try sizedCrop(input, starts, ends))
  }

  /// Neighbouring elements, of each image the first and how many; nil where neither end has a place that
  /// is the same for all images.
  private mutating func slice(
    _ input: Int, _ dimension: Int, _ places: [[Int]]
  ) throws(InterchangeError) -> Int? {
    guard places.allSatisfy({ $0[1] > 0 }) else { return nil }
    let sizes = shapes[input].map { $0[dimension] }
    let before = places.map { $0[0] }
    let after = zip(sizes, places).map { $0 - $1[0] - $1[1] }
    func only(_ numbers: [Int]) -> Int? {
      numbers.allSatisfy { $0 == numbers[0] } ? numbers[0] : nil
    }
    if let before = only(before), let after = only(after) {
      return try withoutEdges(input, dimension, before, after, 1)
    }
    let start = only(before) ?? only(zip(before, sizes).map { $0 - $1 })
    let end = only(after).map { -$0 } ?? only(zip(before, places).map { $0 + $1[1] })
    guard let start, let end else { return nil }
    return try add(
      .stridedSlice(
        StridedSlice(
          dimension: dimension, start: start == 0 ? nil : start, end: end == 0 ? nil : end)),
      [input])
  }

  /// A slice from 0 on that ends where another value does, times a scale.
  private mutating func sizedCrop(
    _ input: Int, _ starts: ONNXNumbers, _ ends: ONNXNumbers
  ) throws(InterchangeError) -> Int {
    guard let starts = starts.integers, starts.allSatisfy({ $0 == 0 }) else {
      throw unsupported("expected a slice that begins at 0 and ends at a size")
    }
    let steps = try integers(4, "steps") ?? starts.map { _ in 1 }
    var axes: [Int] = []
    for axis in try integers(3, "axes") ?? Array(starts.indices) {
      axes.append(try self.axis(axis, rank: rank(input)))
    }
    guard rank(input) == 4, axes.count == ends.count, Set(axes).count == axes.count,
      axes.allSatisfy((2...3).contains), steps.allSatisfy({ $0 == 1 })
    else { throw unsupported("expected a slice of rows and columns of an image") }
    var rows: [[Int]] = []
    for sample in samples.shapes.indices {
      guard let row = ends.row(sample).wholeNumbers, row.allSatisfy({ $0 > 0 }) else {
        throw unsupported("expected ends above 0")
      }
      rows.append(row)
    }
    // So far back at most: a file must not make much of little.
    for value in shapes.indices.prefix(4_096) where rank(value) == 4 {
      let own = shapes[value].map { shape in axes.map { shape[$0] } }
      guard own[0][0] > 0 else { continue }
      let ratio = Ratio(rows[0][0], own[0][0])
      let fits = zip(rows, own).allSatisfy { row, own in
        zip(row, own).allSatisfy { end, size in
          end.multipliedReportingOverflow(by: ratio.denominator)
            == size.multipliedReportingOverflow(by: ratio.numerator)
        }
      }
      if fits, max(ratio.numerator, ratio.denominator) <= GraphLimits.window {
        let crop = CropToSize(
          scale: ratio, axes: Set(axes.map { $0 == 2 ? Axis.vertical : .horizontal }))
        return try add(.cropToSize(crop), [input, value])
      }
    }
    throw unsupported("expected ends in proportion to the image's size")
  }
}
