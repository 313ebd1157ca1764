import AviaryGraph

/// What something is called among the findings: equal names take equal time.
enum TuningKey {
  /// A fused op's work, whatever its name and its weights are.
  ///
  /// - Parameter keepsResidual: whether what is added is wanted again.
  static func fusedOp(
    _ fusedOp: FusedOp, in ir: IRGraph, keepsResidual: Bool, threads: Int
  ) -> String {
    let taken = fusedOp.inputs.map { text(ir.values[$0].shape) }.joined(separator: ",")
    var parts = [
      "\(threads)", kind(fusedOp.kind), "\(taken)>\(text(ir.values[fusedOp.output].shape))",
    ]
    if fusedOp.parameters.count > 1 || !fusedOp.scaleShift.isEmpty { parts.append("bias") }
    if let activation = fusedOp.epilogue.activation { parts.append("\(activation)") }
    if fusedOp.epilogue.slopes != nil { parts.append("prelu") }
    if let residual = fusedOp.epilogue.residual {
      let isInput = fusedOp.inputs.contains(residual)
      parts.append(isInput ? "adds its input" : keepsResidual ? "adds and keeps" : "adds")
    }
    if let activation = fusedOp.epilogue.finalActivation { parts.append("\(activation)") }
    return parts.joined(separator: " ")
  }

  /// Copies of a value into other formats.
  static func copy(_ shape: [Int], threads: Int) -> String { "\(threads) copy \(text(shape))" }

  static func reorderKey(_ from: TensorFormat, _ to: TensorFormat) -> String {
    "\(from.memoryFormat) \(from.dataType.name)>\(to.memoryFormat) \(to.dataType.name)"
  }

  /// All of an IR graph, whatever its weights are: too long to be written down.
  static func whole(_ ir: IRGraph, threads: Int) -> String {
    let fusedOps = ir.fusedOps.map { fusedOp in
      let operands = ir.operands(of: fusedOp).map { "\($0.value)" }.joined(separator: ",")
      let key = TuningKey.fusedOp(fusedOp, in: ir, keepsResidual: false, threads: threads)
      return "\(operands)>\(fusedOp.output) \(key)"
    }
    let outputs = ir.outputs.map { "\($0.value)" }.joined(separator: ",")
    return "\(threads) network \(StableHash.text("\(fusedOps.joined(separator: ";"));\(outputs)"))"
  }

  /// A choice for each fused op.
  static func choice(_ candidates: [KernelCandidate]) -> String {
    StableHash.text(candidates.map(\.text).joined(separator: ";"))
  }

  /// The work with its attributes, on one line without tabs. Amounts of padding make no difference
  /// beside the shapes.
  private static func kind(_ kind: OpKind) -> String {
    switch kind {
    case .convolution(let c, let flipped):
      "\(flipped ? "flipped " : "")convolution \(attributes(c))"
    case .transposedConvolution(let c):
      "transposedConvolution \(text(c.kernel)) /\(text(c.stride)) *\(text(c.dilation)) \(c.groups)"
    case .gradient(.convolutionInput(let c)): "convolutionInput \(attributes(c))"
    case .gradient(.convolutionWeights(let c)): "convolutionWeights \(attributes(c))"
    case .pointwise(let chain): "pointwise \(StableHash.text("\(chain)"))"
    case .scaleShift, .tokens, .reorder, .gradient, .other:
      // As Swift describes it: where a compiler finds other words, it is timed again.
      String(
        "\(kind)".replacing("AviaryGraph.", with: "").replacing("AviaryCompute.", with: "")
          .map { $0.isWhitespace ? " " : $0 })
    }
  }

  private static func attributes(_ c: Convolution) -> String {
    "\(text(c.kernel)) /\(text(c.stride)) *\(text(c.dilation)) \(c.groups)"
  }

  private static func text(_ size: Size) -> String { "\(size.height)x\(size.width)" }
  private static func text(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: "x")
  }
}

/// FNV-1a: the same on every machine and in every process, for names that need not be secret.
package enum StableHash {
  /// The hash in a few letters and digits.
  package static func text(_ text: String) -> String {
    let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(hash, radix: 36)
  }
}

/// How one layer of a plan is done, for reports, and for whoever wants the same again.
public struct PlanChoice: Codable, Hashable, Sendable {
  /// The node of the graph, and what is done for it.
  public var layer: String
  /// The memory formats that are taken and given, the algorithm, and in which data type:
  /// `nChw16c float32>nChw16c float32 winograd`.
  public var candidate: String

  /// A layer's kernel candidate.
  public init(layer: String, candidate: String) {
    (self.layer, self.candidate) = (layer, candidate)
  }

  init(_ fusedOp: FusedOp, _ candidate: KernelCandidate) {
    self.init(layer: "\(fusedOp.name) \(fusedOp.kind.name)", candidate: candidate.text)
  }
}

extension KernelCandidate {
  /// What distinguishes it from a fused op's other kernel candidates, as caches and checkpoints
  /// have it.
  var text: String {
    let taken = others.map { "\(input),\($0)" } ?? "\(input)"
    return "\(taken) \(inputDataType.name)>\(output) \(outputDataType.name) \(algorithm)"
      + (isSeparate ? " separate" : "")
  }
}

extension KernelCandidate {
  /// Whether it is the same candidate, whatever its costs and scales: whether `text` is the same.
  func isSame(as other: KernelCandidate) -> Bool {
    input == other.input && others == other.others && output == other.output
      && algorithm == other.algorithm && inputDataType.number == other.inputDataType.number
      && outputDataType.number == other.outputDataType.number && isSeparate == other.isSeparate
  }
}
