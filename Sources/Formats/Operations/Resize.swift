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
      throw layer.unsupported("expected one factor for height and width, found \(factors)")
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

extension Resize: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    let kind: Int
    var isExact = coordinates != .asymmetric
    switch kernel {
    case .nearest:
      kind = 1
      isExact = coordinates != .alignCorners
    case .linear: kind = 2
    case .cubic(-0.75) where edge == .edge: kind = 3
    case .cubic, .lanczos:
      throw writer.refusal(
        node,
        "ncnn's cubic interpolation has a of -0.75 and repeats the edges, and it has no Lanczos"
      )
    }
    let inputs = node.inputs.map { writer.blob($0) }
    let aligns = coordinates == .alignCorners ? 1 : 0
    guard case .factor(let ratio) = target else {
      guard isExact, !antialias, kind != 1 || coordinates == .asymmetric else {
        throw writer.refusal(node, "ncnn does not resize to another value's size by this rule")
      }
      return try writer.emit(
        "Interp", node, inputs, value,
        [(0, .integer(kind)), (5, .integer(1)), (6, .integer(aligns))])
    }
    // ncnn takes the ratio of the sizes after rounding, and in single precision.
    let divides =
      ratio.denominator == 1
      || kind != 1 && ratio.denominator.nonzeroBitCount == 1
        && writer.sides(node.inputs[0], divideBy: ratio.denominator)
    guard isExact, divides, ratio.numerator <= 16, !antialias || ratio.denominator == 1 else {
      throw writer.refusal(
        node, "ncnn is exact for whole factors up to 16 and for sides that divide, and by few rules"
      )
    }
    let factor = NCNNWriter.Attribute.float(ratio.value)
    try writer.emit(
      "Interp", node, inputs, value,
      [(0, .integer(kind)), (1, factor), (2, factor), (6, .integer(aligns))])
  }
}
