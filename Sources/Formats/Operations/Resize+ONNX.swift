import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// Interpolation: ONNX has many rules for where pixels lie, ours has those that frameworks use.
extension ONNXReader {
  mutating func resize() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    let isOld = node.kind == "Upsample" || version < 11
    let target = try self.target(input, isOld: isOld)
    if target == .factor(Ratio(1)) { return .value(input) }
    var ratio: Double?
    if case .factor(let factor) = target { ratio = factor.value }
    let rule =
      isOld ? "asymmetric" : node.text("coordinate_transformation_mode") ?? "half_pixel"
    let coordinates: Resize.Coordinates
    switch rule {
    // They differ for images that become one pixel wide.
    case "half_pixel", "pytorch_half_pixel": coordinates = .halfPixel
    case "align_corners": coordinates = .alignCorners
    case "asymmetric": coordinates = .asymmetric
    default: throw unsupported("coordinate_transformation_mode \(rule)")
    }
    let kernel: Resize.Kernel
    switch node.text("mode") ?? "nearest" {
    case "nearest":
      try checkNearest(coordinates, isOld: isOld, target)
      kernel = .nearest
    case "linear", "bilinear":
      // The file means one thing, and the network that was exported computes another.
      guard !isOld || !model.producer.hasPrefix("pytorch") else {
        throw unsupported(
          "linear interpolation in opset \(version), in which PyTorch's exporter does not say where "
            + "pixels lie; export with opset_version 11 or later")
      }
      kernel = .linear
    case "cubic": kernel = .cubic(a: node.number("cubic_coeff_a") ?? -0.75)
    case let mode: throw unsupported("mode \(mode)")
    }
    guard node.integer("exclude_outside") ?? 0 == 0 else { throw unsupported("exclude_outside") }
    guard node.integer("antialias") ?? 0 == 0 || ratio ?? 0 >= 1 else {
      throw unsupported("antialias with pixels beyond the edges left out")
    }
    let values: [Int]
    if case .sizeOfSecondInput = target {
      values = [input, try twin(sizes(input) ?? [])]
    } else {
      values = [input]
    }
    return .value(try add(.resize(Resize(kernel, to: target, coordinates: coordinates)), values))
  }

  /// How large the result is.
  func target(_ input: Int, isOld: Bool) throws(InterchangeError) -> Resize.Target {
    let place = isOld ? 1 : 2
    let numbers: ONNXNumbers? =
      if case .floats(let scales) = node.attributes["scales"] {
        ONNXNumbers(scales, isInteger: false)
      } else { try numbers(place) }
    if let numbers, numbers.count > 0 {
      guard let scales = numbers.constant else {
        throw unsupported("expected constant scales")
      }
      let spatial = try spatial(scales, rest: 1)
      guard spatial[0] == spatial[1], let ratio = ONNXReader.ratio(spatial[0]) else {
        throw unsupported("expected one scale for both axes, found \(spatial[0]), \(spatial[1])")
      }
      return .factor(ratio)
    }
    guard let sizes = try sizes(input) else { throw unsupported("expected known scales or sizes") }
    // In proportion to the image?
    let (height, width) = (shapes[input][0][2], shapes[input][0][3])
    // A file that states sizes states those for the example.
    let isConstant = sizes.allSatisfy { $0 == sizes[0] }
    let places = samples.letsSizeGo && isConstant ? 0..<1 : sizes.indices
    if sizes[0][0] > 0, sizes[0][1] > 0 {
      let ratio = Ratio(sizes[0][0], height)
      let isProportional = places.allSatisfy { i in
        let shape = shapes[input][i]
        return shape[2].multipliedReportingOverflow(by: ratio.numerator)
          == (sizes[i][0].multipliedReportingOverflow(by: ratio.denominator))
          && shape[3].multipliedReportingOverflow(by: ratio.numerator)
            == (sizes[i][1].multipliedReportingOverflow(by: ratio.denominator))
      }
      let limit = GraphLimits.window
      if isProportional, ratio.numerator <= limit, ratio.denominator <= limit, width > 0 {
        return .factor(ratio)
      }
    }
    _ = try twin(sizes)
    return .sizeOfSecondInput
  }

  /// The height and width asked for, for each image; nil where they are not asked for.
  func sizes(_ input: Int) throws(InterchangeError) -> [[Int]]? {
    guard let numbers = try numbers(3), numbers.count > 0 else { return nil }
    var sizes: [[Int]] = []
    for (sample, shape) in shapes[input].enumerated() {
      guard let row = numbers.row(sample).wholeNumbers else { throw unsupported("expected sizes") }
      // Of batch and channels nothing may change.
      let spatial = try spatial(
        row.map(Double.init), rest: row.count == 4 ? nil : 1
      ).map { Int($0) }
      guard row.count == 2 || row[1] == shape[1] else { throw unsupported("sizes \(row)") }
      sizes.append(spatial)
    }
    return sizes
  }

  /// The two numbers that are for height and width; the others must be `rest`, where stated.
  private func spatial(_ numbers: [Double], rest: Double?) throws(InterchangeError) -> [Double] {
    if let axes = node.integers("axes"), !axes.isEmpty {
      guard numbers.count == 2, axes == [2, 3] || axes == [-2, -1] else {
        throw unsupported("axes \(axes)")
      }
      return numbers
    }
    guard numbers.count == 4, rest == nil || numbers[0] == rest && numbers[1] == rest else {
      throw unsupported("expected a change of height and width alone, found \(numbers)")
    }
    return Array(numbers.suffix(2))
  }

  /// A value that has these heights and widths for all images.
  private func twin(_ sizes: [[Int]]) throws(InterchangeError) -> Int {
    // So far back at most: a file must not make much of little.
    let found = shapes.indices.suffix(4_096).last { value in
      rank(value) == 4 && zip(shapes[value], sizes).allSatisfy { Array($0.suffix(2)) == $1 }
    }
    guard let found else {
      throw unsupported("expected a size in proportion to the image's, or of another value")
    }
    return found
  }

  /// ONNX's rules for the nearest pixel are ours where no output pixel lies between two.
  private func checkNearest(
    _ coordinates: Resize.Coordinates, isOld: Bool, _ target: Resize.Target
  ) throws(InterchangeError) {
    let rule = isOld ? "floor" : node.text("nearest_mode") ?? "round_prefer_floor"
    var factor: Ratio?
    if case .factor(let ratio) = target { factor = ratio }
    switch (coordinates, rule) {
    case (.asymmetric, "floor"), (.halfPixel, "round_prefer_ceil"),
      (.alignCorners, "round_prefer_ceil"):
      return
    // Ties need an even step.
    case (.halfPixel, "round_prefer_floor") where factor.map { $0.denominator % 2 == 1 } ?? false:
      return
    // 0, ½, 1, 1½, …
    case (.asymmetric, "round_prefer_floor") where factor == Ratio(2) || factor?.numerator == 1:
      return
    default: throw unsupported("nearest_mode \(rule) with these coordinates")
    }
  }

  /// The ratio of small numbers that a float32 was made of; nil where there is none.
  private static func ratio(_ value: Double) -> Ratio? {
    guard value > 0, value <= Double(GraphLimits.window) else { return nil }
    for denominator in 1...256 {
      let numerator = (value * Double(denominator)).rounded()
      guard numerator >= 1, numerator <= Double(GraphLimits.window) else { continue }
      if abs(numerator / Double(denominator) - value) <= value * 1e-6 {
        return Ratio(Int(numerator), denominator)
      }
    }
    return nil
  }
}

extension ONNXWriter {
  mutating func resize(
    _ resize: Resize, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    var attributes: [(String, ONNXModelBuilder.Attribute)] = []
    var ratio: Ratio?
    if case .factor(let factor) = resize.target { ratio = factor }
    let shrinks = ratio.map { $0.value < 1 } ?? true
    guard !resize.antialias || !shrinks || resize.kernel == .nearest else {
      throw refusal(
        node, "antialiasing leaves out what is beyond the edges, where ours repeats the edge")
    }
    // One pixel beyond the edge is the edge pixel by both rules.
    let reachesOne = resize.kernel == .nearest || resize.kernel == .linear && !shrinks
    guard resize.edge == .edge || reachesOne && resize.coordinates != .alignCorners else {
      throw refusal(node, "pixels mirrored at the edges")
    }
    switch resize.kernel {
    case .nearest: attributes.append(("mode", .text("nearest")))
    case .linear: attributes.append(("mode", .text("linear")))
    case .cubic(let a):
      attributes += [("mode", .text("cubic")), ("cubic_coeff_a", .float(a))]
    case .lanczos: throw refusal(node, "interpolation by Lanczos's function")
    }
    let rule: String
    switch resize.coordinates {
    case .halfPixel: rule = "half_pixel"
    case .alignCorners: rule = "align_corners"
    case .asymmetric: rule = "asymmetric"
    }
    attributes.append(("coordinate_transformation_mode", .text(rule)))
    if resize.kernel == .nearest {
      let isFloor = resize.coordinates == .asymmetric
      attributes.append(("nearest_mode", .text(isFloor ? "floor" : "round_prefer_ceil")))
    }
    let input = name(node.inputs[0])
    guard let ratio else {
      // The first two dimensions of the one, the last two of the other.
      let two = integers(node, "two", [2])
      let own = step(
        "Slice", node, [step("Shape", node, [input]), integers(node, "zero", [0]), two])
      let other = step(
        "Slice", node,
        [step("Shape", node, [name(node.inputs[1])]), two, integers(node, "four", [4])])
      let sizes = step("Concat", node, [own, other], [("axis", .integer(0))])
      return emit("Resize", node, [input, "", "", sizes], value, attributes)
    }
    let scales = unique("\(node.name)/scales")
    draftScales(scales, ratio)
    emit("Resize", node, [input, "", scales], value, attributes)
  }
}
