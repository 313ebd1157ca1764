import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension Resize: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    try writer.resize(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.resize(try builder.picture(inputs[0], node.name), self, node.name)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    python(inputs[0], like: inputs.count > 1 ? inputs[1] : nil, &forward)
  }
}

extension Resize: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["Resize": [], "Upsample": []]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.resize()
  }
}

extension Resize: KerasLayerOperation {
  static let kerasLayers = ["UpSampling2D"]

  static func read(
    _ layer: KerasLayer, _ x: KerasTensor, with importer: inout KerasImport
  ) throws(InterchangeError) -> KerasTensor {
    try importer.upsampling(layer, x)
  }
}

extension Resize: NCNNReadOperation {
  static let ncnnLayers = ["Interp"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.resize(layer)
  }
}

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
    // They differ for pictures that become one pixel wide.
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
    case "linear", "bilinear": kernel = .linear
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
        throw unsupported("constant scales expected")
      }
      let spatial = try spatial(scales, rest: 1)
      guard spatial[0] == spatial[1], let ratio = ONNXReader.ratio(spatial[0]) else {
        throw unsupported("one scale for both axes expected, \(spatial[0]), \(spatial[1]) found")
      }
      return .factor(ratio)
    }
    guard let sizes = try sizes(input) else { throw unsupported("known scales or sizes expected") }
    // In proportion to the picture?
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

  /// The height and width asked for, for each picture; nil where they are not asked for.
  func sizes(_ input: Int) throws(InterchangeError) -> [[Int]]? {
    guard let numbers = try numbers(3), numbers.count > 0 else { return nil }
    var sizes: [[Int]] = []
    for (sample, shape) in shapes[input].enumerated() {
      guard let row = numbers.row(sample).wholeNumbers else { throw unsupported("sizes expected") }
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
      throw unsupported("a change of height and width alone expected, \(numbers) found")
    }
    return Array(numbers.suffix(2))
  }

  /// A value that has these heights and widths for all pictures.
  private func twin(_ sizes: [[Int]]) throws(InterchangeError) -> Int {
    // So far back at most: a file must not make much of little.
    let found = shapes.indices.suffix(4_096).last { value in
      rank(value) == 4 && zip(shapes[value], sizes).allSatisfy { Array($0.suffix(2)) == $1 }
    }
    guard let found else {
      throw unsupported("a size in proportion to the picture's, or of another value, expected")
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

extension KerasImport {
  /// Pixels repeated, or interpolated between their centres.
  mutating func upsampling(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let size = try layer.size(["size"], default: 2)
    let kernel: Resize.Kernel
    var coordinates = Resize.Coordinates.halfPixel
    switch try layer.word(["interpolation"], default: "nearest") {
    case "nearest": kernel = .nearest
    case "bilinear":
      kernel = .linear
      if isBeforeHalfPixels {
        // TensorFlow 1 laid the first pixels on each other.
        coordinates = .asymmetric
        assumed.append(
          "layer \(layer.name): bilinear as TensorFlow 1 computed it, as the file is of Keras"
            + " \(version)")
      }
    case "bicubic":
      throw layer.refusal(
        "bicubic interpolation at the edges is Keras's own: it weighs pixels inside only")
    case let other: throw layer.refusal("interpolation '\(other)' is not supported")
    }
    guard size.height == size.width else {
      throw layer.refusal("one factor for both axes expected, \(size.height)x\(size.width) found")
    }
    let x = try picture(x, layer)
    if size.height == 1 { return x }
    return try add(
      .resize(Resize(kernel, to: .factor(Ratio(size.height)), coordinates: coordinates)), [x],
      name: layer.fullName, of: layer)
  }

  /// Whether the file is of a Keras that computed with TensorFlow 1. "2.2.4-tf" stands in files of
  /// both TensorFlow 1 and 2, of which the second is the likelier.
  private var isBeforeHalfPixels: Bool {
    let parts = version.prefix { $0 != "-" }.split(separator: ".").compactMap { Int($0) }
    guard parts.count >= 2 else { return parts.first.map { $0 < 2 } ?? false }
    return parts[0] < 2
      || parts[0] == 2 && parts[1] < 3 && !version.hasPrefix("2.2.4-tf")
        && version.contains(".")
  }
}

extension KerasBuilder {
  mutating func resize(
    _ x: PlacedValue, _ resize: Resize, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard case .factor(let ratio) = resize.target, ratio.denominator == 1 else {
      throw refusal(name, "no stock layer resizes but by whole factors")
    }
    let isExact =
      switch (resize.kernel, resize.coordinates) {
      // At whole factors both give each pixel as often.
      case (.nearest, .halfPixel), (.nearest, .asymmetric): true
      // A mirrored pixel beyond the edge is the edge pixel.
      case (.linear, .halfPixel): true
      default: false
      }
    guard isExact else {
      throw refusal(
        name,
        "UpSampling2D computes nearest and linear interpolation at half-pixel coordinates alone as "
          + "the network does")
    }
    return add(
      "UpSampling2D", name,
      [
        "size": [.int(ratio.numerator), .int(ratio.numerator)],
        "interpolation": resize.kernel == .nearest ? "nearest" : "bilinear",
      ], [x], shape: [nil, nil, nil, x.place.shape[3]])
  }
}

extension NCNNImporter {
  mutating func resize(_ layer: NCNNLayer) throws(InterchangeError) {
    let values = try values(of: layer, count: nil)
    let kind = try layer.integer(0, in: 1...3)
    try layer.require(3, 0, default: 0, "a fixed size of output")
    try layer.require(4, 0, default: 0, "a fixed size of output")
    let kernel: Resize.Kernel = kind == 1 ? .nearest : kind == 2 ? .linear : .cubic(a: -0.75)
    let coordinates: Resize.Coordinates =
      kind == 1 ? .asymmetric : layer.number(6) == 1 ? .alignCorners : .halfPixel
    if values.count == 2 {
      let resize = Resize(kernel, to: .sizeOfSecondInput, coordinates: coordinates)
      try give(layer, .value(try add(.resize(resize), layer, values)))
      return
    }
    let factors = [layer.number(1, default: 1), layer.number(2, default: 1)]
    guard values.count == 1, factors[0] == factors[1], let ratio = Self.ratio(factors[0]) else {
      throw layer.unsupported("one factor for height and width expected, \(factors) found")
    }
    if ratio.denominator != 1, kind != 1 {
      // ncnn takes the ratio of sizes after rounding, the operation the factor itself.
      assumed.append("\(layer.name): sizes divisible by \(ratio.denominator)")
    }
    let resize = Resize(kernel, to: .factor(ratio), coordinates: coordinates)
    try give(layer, .value(try add(.resize(resize), layer, [values[0]])))
  }

  /// A number as a ratio of small numbers; nil where it is none.
  private static func ratio(_ number: Double) -> Ratio? {
    for denominator in 1...16 {
      let numerator = (number * Double(denominator)).rounded()
      guard (1...Double(GraphLimits.window)).contains(numerator) else { continue }
      if abs(numerator / Double(denominator) - number) <= 1e-6 * number {
        return Ratio(Int(numerator), denominator)
      }
    }
    return nil
  }
}

extension Resize {
  /// The interpolation as an expression of Python's: PyTorch's own where it computes just this, else
  /// a function that computes it from the definition.
  ///
  /// PyTorch's antialiasing leaves out what lies beyond the edges instead of repeating the edge, and
  /// so is not used.
  func python(_ x: String, like: String?, _ forward: inout PyTorchForward) -> String {
    let factor: Ratio? = if case .factor(let ratio) = target { ratio } else { nil }
    let size =
      factor.map { "factor=(\($0.numerator), \($0.denominator))" } ?? "like=\(like ?? x)"
    if let mode = ownMode, factor?.denominator ?? 1 == 1 {
      let target = factor.map { "scale_factor=\($0.numerator)" } ?? "\(like ?? x).shape[2:]"
      return "F.interpolate(\(x), \(target), \(mode))"
    }
    if kernel == .nearest {
      forward.need(.nearest)
      return "nearest(\(x), \"\(coordinates.rawValue)\", \(size))"
    }
    forward.need(.resize)
    let weigh: String
    let support: Int
    switch kernel {
    case .nearest, .linear: (weigh, support) = ("lambda x: (1 - x).clamp(min=0)", 1)
    case .cubic(let a):
      forward.need(.cubic)
      (weigh, support) = ("cubic(\(a))", 2)
    case .lanczos(let lobes):
      forward.need(.lanczos)
      (weigh, support) = ("lanczos(\(lobes))", lobes)
    }
    return "resize(\(x), \(weigh), \(support), \"\(coordinates.rawValue)\", \"\(edge.rawValue)\", "
      + "\(antialias ? "True" : "False"), \(size))"
  }

  /// The mode of PyTorch's own function that computes this at whole factors; nil where none does.
  private var ownMode: String? {
    // A whole factor enlarges, where antialiasing changes nothing; another size may not.
    let isPlain = if case .factor = target { true } else { !antialias }
    guard isPlain, coordinates != .asymmetric || kernel == .nearest else { return nil }
    let aligned = coordinates == .alignCorners ? "True" : "False"
    switch kernel {
    case .nearest:
      guard case .factor = target, coordinates != .alignCorners else { return nil }
      return "mode=\"nearest\""
    // It reaches one pixel beyond the edge, which mirrored is the edge pixel.
    case .linear: return "mode=\"bilinear\", align_corners=\(aligned)"
    case .cubic(-0.75) where edge == .edge: return "mode=\"bicubic\", align_corners=\(aligned)"
    case .cubic, .lanczos: return nil
    }
  }
}
