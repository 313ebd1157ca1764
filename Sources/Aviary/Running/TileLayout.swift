internal import AviaryCompute
internal import AviaryGraph

/// How an image is laid before a network, and divided.
struct TileLayout {
  let rows: AxisLayout
  let columns: AxisLayout
  /// With its borders resolved for the whole image.
  let graph: Graph
  /// The position of the output that is wanted.
  let output: Int
  let tile: TileSize
  /// The network lowered for a tile; nil where it has to be lowered for the plan.
  let lowered: LoweredGraph?

  /// - Parameters:
  ///   - scale: that the network makes by itself.
  ///   - width: of the image as the network takes it, as `height`.
  ///   - planes: of the image.
  ///   - results: planes of the result.
  ///   - resultBytes: of memory that the caller takes for each pixel of a band of the result.
  ///   - policy: for networks of which tiles do not give what the whole gives.
  /// - Throws: `AviaryError`, `GraphError`, `ComputeError`.
  init(
    _ model: Model, scale: Ratio, width: Int, height: Int, planes: Int, results: Int,
    resultBytes: Int, _ policy: TilePolicy, _ context: InferenceContext
  ) throws {
    let graph = model.graph
    guard graph.inputs.count == 1 else {
      throw AviaryError.inputs(model: model.name, found: graph.inputs.map(\.name))
    }
    let output = graph.scales.firstIndex(of: scale) ?? 0
    let rule = graph.sizeRule(output: output)
    guard let found = rule.scale, found == scale || found.denominator == 1 else {
      throw AviaryError.scale(
        model: model.name, expected: scale.text, found: rule.scale?.text ?? "none")
    }
    guard model.picture.output == .picture || found == Ratio(1) else {
      throw AviaryError.scale(
        model: model.name, expected: "1 for a \(model.picture.output.rawValue)", found: found.text)
    }
    // What is no whole multiple is as large as the network makes it of the image as it stands.
    let own =
      found.denominator == 1 || rule.size != nil
      ? nil
      : (try? graph.shapes(height: height, width: width)[graph.outputs[output].value])
        .flatMap { $0.count == 4 ? $0 : nil }
    let usual = [height, width].enumerated().map { axis, side in
      AxisLayout(
        size: side, ratio: found, rule: rule, output: own?[axis + 2],
        padding: model.picture.padding)
    }
    if let size = rule.size, [size.height, size.width] != usual.map(\.padded) {
      let rim = usual[0].padded - height
      throw AviaryError.imageSize(
        model.name, expected: "\(size.width - rim)x\(size.height - rim)",
        found: "\(width)x\(height)")
    }
    var attempts = [usual]
    let exact = [height, width].enumerated().map { axis, side in
      found.denominator == 1
        ? AxisLayout.exact(size: side, ratio: found, rule: rule, padding: model.picture.padding)
        : usual[axis].padded == side
          ? nil : own.map { AxisLayout(asItStands: side, ratio: found, output: $0[axis + 2]) }
    }
    // Where one side has such a layout both are worth a try.
    if rule.size == nil, exact.contains(where: { $0 != nil }) {
      attempts.insert([exact[0] ?? usual[0], exact[1] ?? usual[1]], at: 0)
    }
    var failure: (any Error)?
    for (position, layout) in attempts.enumerated() {
      do {
        let isLast = position == attempts.count - 1
        guard
          let made = try TileLayout(
            model, output, rows: layout[0], columns: layout[1], planes: planes,
            results: results, resultBytes: resultBytes, isWhole: !isLast, policy, context)
        else { continue }
        self = made
        return
      } catch {
        failure = error
      }
    }
    throw failure
      ?? AviaryError.scale(model: model.name, expected: found.text, found: "another")
  }

  /// One attempt; nil where the network makes something else of the size than the layout promises.
  ///
  /// - Parameter isWhole: whether nothing promises that parts give what the whole gives.
  private init?(
    _ model: Model, _ output: Int, rows: AxisLayout, columns: AxisLayout, planes: Int,
    results: Int, resultBytes: Int, isWhole: Bool, _ policy: TilePolicy,
    _ context: InferenceContext
  ) throws {
    let graph = model.graph
    let value = graph.outputs[output].value
    let shape = try graph.shapes(height: rows.padded, width: columns.padded)[value]
    guard shape.count == 4 else { return nil }
    let (inputs, channels) = (graph.inputs[0].channels, shape[1])
    guard planes % inputs == 0, results == planes / inputs * channels else {
      throw AviaryError.colour(
        model: model.name, channels: inputs,
        found: "\(channels) of output for \(planes) of image")
    }
    // What is added to the image has its channels.
    guard model.picture.output == .picture || channels == inputs else {
      throw AviaryError.channels(
        model: model.name,
        "expected \(inputs) channels for a \(model.picture.output.rawValue), found \(channels)")
    }
    guard Array(shape[2...]) == [rows.paddedOutput, columns.paddedOutput] else {
      if isWhole { return nil }
      throw AviaryError.networkOutput(
        expected: [1, channels, rows.paddedOutput, columns.paddedOutput], found: shape)
    }
    self.graph = try graph.resolvingPadding(height: rows.padded, width: columns.padded)
    (self.output, self.rows, self.columns) = (output, rows, columns)
    let tiling =
      isWhole
      ? .whole(reason: "tiles would make another size")
      : try graph.tiling(height: rows.padded, width: columns.padded)
    let plan = try TilePlanner(
      graph: self.graph, output: output, ratio: rows.ratio.value, rows: rows.padded,
      columns: columns.padded, runs: planes / inputs,
      resultBytes: resultBytes + 4 * max(results - planes, 0),
      policy: isWhole ? .exact : policy, context: context
    ).plan(tiling)
    (tile, lowered) = (plan.size, plan.lowered)
  }
}

/// How one axis of an image is laid before a network: padded where the network wants more pixels
/// or a multiple, divided into tiles, and cut back.
struct AxisLayout: Hashable, Sendable {
  /// The image's pixels.
  let size: Int
  /// Pixels of padding at the start.
  let before: Int
  /// Pixels with the padding at both ends.
  let padded: Int
  /// Output pixels over input pixels.
  let ratio: Ratio
  /// The result's pixels.
  let outputSize: Int
  /// Output pixels to be cut at the start.
  let skip: Int
  /// How many pixels the output is smaller than `ratio` times the input; below 0 where it is
  /// larger.
  let shrinkage: Int
  /// What the padding holds.
  let padding: ImageSpec.Padding

  /// The layout that gives `size * ratio` output pixels, rounded up, or as many as are stated.
  ///
  /// Convolutions without padding cost the output its rim; the padding gives it back, so that every
  /// image comes out whole. A rim too many, as transposed convolutions without padding make it,
  /// is cut off.
  init(
    size: Int, ratio: Ratio, rule: SizeRule, output: Int? = nil,
    padding: ImageSpec.Padding = .edge
  ) {
    let (n, d) = (ratio.numerator, ratio.denominator)
    let output = output ?? (size * n + d - 1) / d
    let lead = rule.shrinkage / 2
    // Padding of which every output pixel is a whole number.
    let before = max((lead + n - 1) / n, 0) * d
    let skip = before / d * n - lead
    let needed = ((skip + output + rule.shrinkage) * d + n - 1) / n
    let least = max(needed, size, rule.minimum)
    self.init(
      size: size, before: before,
      padded: (least + rule.exactMultiple - 1) / rule.exactMultiple * rule.exactMultiple,
      ratio: ratio, outputSize: output, skip: skip, shrinkage: rule.shrinkage, padding: padding)
  }

  private init(
    size: Int, before: Int, padded: Int, ratio: Ratio, outputSize: Int, skip: Int, shrinkage: Int,
    padding: ImageSpec.Padding
  ) {
    (self.size, self.before, self.padded, self.ratio) = (size, before, padded, ratio)
    (self.outputSize, self.skip) = (outputSize, skip)
    (self.shrinkage, self.padding) = (shrinkage, padding)
  }

  /// The layout without padding, where the network makes so many pixels of the size.
  init(asItStands size: Int, ratio: Ratio, output: Int) {
    self.init(
      size: size, before: 0, padded: size, ratio: ratio, outputSize: output, skip: 0,
      shrinkage: size * ratio.numerator / ratio.denominator - output, padding: .edge)
  }

  /// The layout with the least padding at the end for which the output is in proportion, neither
  /// smaller nor larger: none at all where the network fits the size as it stands.
  ///
  /// - Returns: Nil where that is the layout by the rule, or where the rule's is no larger.
  static func exact(
    size: Int, ratio: Ratio, rule: SizeRule, padding: ImageSpec.Padding
  ) -> AxisLayout? {
    let usual = AxisLayout(size: size, ratio: ratio, rule: rule, padding: padding)
    guard let padded = (size..<max(usual.padded, size)).first(where: rule.isExact) else {
      return nil
    }
    return AxisLayout(
      size: size, before: 0, padded: padded, ratio: ratio, outputSize: usual.outputSize, skip: 0,
      shrinkage: 0, padding: padding)
  }

  /// The output's pixels, padding included.
  var paddedOutput: Int { output(padded) }

  /// The output pixel that an input pixel, or so many of them, come to: whole for a multiple of the
  /// ratio's denominator.
  func place(_ position: Int) -> Int { position * ratio.numerator / ratio.denominator }

  /// The output pixels that so many input pixels give.
  func output(_ length: Int) -> Int { place(length) - shrinkage }

  /// A stretch of padded input pixels computed at once.
  struct Span: Hashable, Sendable {
    var start: Int
    var length: Int
    /// The output pixels, padding included, that are taken from it.
    var output: Range<Int>
  }

  /// The stretches that together give the whole, each `tile` pixels long where the axis is longer.
  ///
  /// - Parameters:
  ///   - tile: a multiple of `multiple`, above twice the overlap.
  ///   - overlap: how many pixels of a stretch's inner ends are spoilt.
  ///   - multiple: what inner stretches begin at a multiple of.
  func spans(tile: Int, overlap: Int, multiple: Int) -> [Span] {
    precondition(tile >= 2 * overlap + multiple || tile >= padded, "tiles that get on")
    var spans: [Span] = []
    var done = 0
    while done < paddedOutput {
      var start =
        done == 0
        ? 0
        : max(
          (done * ratio.denominator / ratio.numerator - overlap) / multiple * multiple, 0)
      var length = min(tile, padded - start)
      if start + length == padded {
        // The last stretch is as long as the others where the phase allows, so that one plan
        // serves.
        if padded > tile, (padded - tile) % multiple == 0 { start = padded - tile }
        length = padded - start
        spans.append(Span(start: start, length: length, output: done..<paddedOutput))
      } else {
        spans.append(
          Span(start: start, length: length, output: done..<place(start + length - overlap)))
      }
      done = spans[spans.count - 1].output.upperBound
    }
    return spans
  }

  /// The output pixels of the image proper among those of the padded one.
  func kept(_ output: Range<Int>) -> Range<Int> {
    let shifted = output.lowerBound - skip..<output.upperBound - skip
    return shifted.clamped(to: 0..<outputSize)
  }

  // MARK: - Pixels

  /// The image's pixel that stands at one of the padded image; nil for black.
  func source(_ position: Int) -> Int? {
    let i = position - before
    if (0..<size).contains(i) { return i }
    func folded(_ period: Int) -> Int { (i % period + period) % period }
    switch padding {
    case .edge: return min(max(i, 0), size - 1)
    case .zero: return nil
    case .reflect:
      if size == 1 { return 0 }
      let place = folded(2 * (size - 1))
      return place < size ? place : 2 * (size - 1) - place
    case .symmetric:
      let place = folded(2 * size)
      return place < size ? place : 2 * size - 1 - place
    }
  }

  /// The image's pixels from which a stretch is made, the least that hold them all.
  func sources(_ span: Span) -> Range<Int> {
    let first = min(max(span.start - before, 0), size)
    let inside = first..<max(min(span.start + span.length - before, size), first)
    var range = inside.isEmpty ? nil : inside
    // Only what is beyond the ends is looked up.
    let places = span.start..<span.start + span.length
    let beyond = [
      places.clamped(to: 0..<max(before, 0)),
      places.clamped(to: min(before + size, padded)..<padded),
    ]
    for place in beyond.joined() {
      guard let source = source(place) else { continue }
      let found = range ?? source..<source + 1
      range = min(found.lowerBound, source)..<max(found.upperBound, source + 1)
    }
    // Nothing but black: any pixel will do that is here at that time.
    let nearest = min(max(span.start - before, 0), size - 1)
    return range ?? nearest..<nearest + 1
  }

  /// Pixels of the padded image from one line of the image: value · factor + offset.
  ///
  /// - Parameters:
  ///   - line: `size` values.
  ///   - first: the first pixel of the padded image.
  func gather(
    _ line: UnsafePointer<Float>, from first: Int, to target: UnsafeMutablePointer<Float>,
    count: Int, factor: Float, offset: Float
  ) {
    // Where the image proper begins and ends in the target.
    let start = min(max(before - first, 0), count)
    let end = min(max(before + size - first, start), count)
    for i in 0..<start {
      unsafe target[i] = source(first + i).map { unsafe line[$0] * factor + offset } ?? offset
    }
    if end > start {
      let inside = unsafe line + (first + start - before)
      let place = unsafe target + start
      for i in 0..<end - start { unsafe place[i] = inside[i] * factor + offset }
    }
    for i in end..<count {
      unsafe target[i] = source(first + i).map { unsafe line[$0] * factor + offset } ?? offset
    }
  }
}

extension Ratio {
  /// In words: `2`, `1/2`.
  var text: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }
}
