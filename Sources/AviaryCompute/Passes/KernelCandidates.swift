import AviaryGraph

extension IRGraph {
  /// The kernel candidates by which a fused op can be done, the best for itself first.
  ///
  /// Costs are from measurements on a Zen 5 core with AVX-512 (48 to 256 pixels a side, 16 to 256
  /// channels): direct convolutions calculate 128 multiply-adds a nanosecond whatever their shape,
  /// if the output channels fill registers of 16.
  ///
  /// - Parameter options: whether Winograd convolutions are excluded, and in which data type
  ///   convolutions may calculate.
  func candidates(of fusedOp: FusedOp, _ options: PlanOptions) -> [KernelCandidate] {
    let exact = options.exact
    // Of what has inputs: not all operations do.
    var input: [Int] { values[fusedOp.inputs[0]].shape }
    let output = values[fusedOp.output]
    var candidates: [KernelCandidate] = []
    switch fusedOp.kind {
    case .convolution(let c, _):
      candidates = convolutionCandidates(c, input, output.shape, exact: exact)
    case .transposedConvolution(let c):
      candidates = transposedCandidates(c, input, output.shape)
    case .tokens(let step):
      candidates = [KernelCandidate(.nchw, .nchw, cost: step.cost(input, output.shape))]
    case .reorder: break
    case .gradient(let gradient):
      candidates = gradientCandidates(of: fusedOp, gradient, exact: exact)
    case .pointwise where !fusedOp.orders.isEmpty: candidates = KernelCandidate.rowMajor
    case .scaleShift, .pointwise: candidates = KernelCandidate.anyLayout
    case .other(let op):
      guard let operation = op.kernelOperation else {
        preconditionFailure("\(op.name) is represented differently in an IR graph")
      }
      candidates = operation.candidates(fusedOp, self)
    }
    if fusedOp.epilogue.slopes != nil {
      // A pass of its own, where the convolution has no place for it.
      for i in candidates.indices where candidates[i].algorithm == .direct {
        candidates[i].cost += Double(output.count) * KernelCandidate.nanosecondsPerMove / 2
      }
      candidates = candidates.stablySorted { $0.cost }
    }
    candidates = inDataTypes(candidates, of: fusedOp, options.precision)
    if fusedOp.kind.isConvolution, !fusedOp.epilogue.isEmpty, fusedOp.quantization == nil {
      // Read and written once more for what is not fused.
      let passes = Double(3 * output.count) * KernelCandidate.nanosecondsPerMove
      candidates += candidates.filter { $0.algorithm == .direct }.map {
        $0.separate(adding: passes)
      }
    }
    return candidates.filter { candidate in
      (!exact || candidate.algorithm.isExact)
        && fusedOp.inputs.enumerated().allSatisfy {
          candidate.format(ofInput: $0).memoryFormat.fits(values[$1].shape)
        } && candidate.output.fits(output.shape)
    }
  }
}

extension KernelCandidate {
  /// The same with what is fused behind it done by itself, which may pay where a convolution adds
  /// to what lies in its destination piece by piece.
  fileprivate func separate(adding cost: Double) -> KernelCandidate {
    var candidate = self
    candidate.isSeparate = true
    candidate.cost += cost
    return candidate
  }

  /// What it costs to copy one element from one memory format to another.
  static let nanosecondsPerMove = 0.3
}

extension Sequence {
  /// Sorted, elements of equal cost in the order they had.
  func stablySorted(_ cost: (Element) -> Double) -> [Element] {
    enumerated().sorted { (cost($0.element), $0.offset) < (cost($1.element), $1.offset) }
      .map(\.element)
  }
}

extension Int {
  /// The next multiple of a number.
  func roundedUp(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}

extension IRGraph {
  /// The kernel candidates by which a fused op can be done in float32, and those in other data
  /// types; of a convolution that is quantized only those in integers, so that results do not
  /// depend on what is fast.
  func inDataTypes(_ candidates: [KernelCandidate], of fusedOp: FusedOp, _ precision: Precision)
    -> [KernelCandidate]
  {
    if let layer = fusedOp.quantization {
      return integerCandidates(candidates, fusedOp, layer, precision)
    }
    var others: [KernelCandidate] = []
    if precision == .bfloat16 { others += candidates.flatMap { narrowed($0, fusedOp) } }
    if let integerType = values[fusedOp.output].integerType, passesWhole(fusedOp) {
      others += candidates.filter { mayMove(fusedOp, $0, integerType) }.map {
        $0.taking(integerType, giving: integerType)
      }
    }
    return others.isEmpty ? candidates : (candidates + others).stablySorted { $0.cost }
  }

  /// Convolutions of integers lie nhwc: it is the only memory format that oneDNN has fast code for.
  /// A sum with another value stays wide, as its rounding would go through all that follows; so
  /// does what a PReLU takes, an instruction of its own.
  private func integerCandidates(
    _ candidates: [KernelCandidate], _ fusedOp: FusedOp, _ layer: Quantization.Layer,
    _ precision: Precision
  ) -> [KernelCandidate] {
    guard
      let direct = candidates.first(where: {
        $0.algorithm == .direct && $0.input == .nhwc && $0.output == .nhwc
      })
    else { preconditionFailure("every convolution has a candidate in nhwc") }
    var gives = [DataType.float32]
    if precision == .bfloat16 { gives.insert(.bfloat16, at: 0) }
    if let integerType = values[fusedOp.output].integerType, fusedOp.epilogue.residual == nil,
      fusedOp.epilogue.slopes == nil
    {
      gives.insert(integerType, at: 0)
    }
    return gives.filter { $0 == .float32 || mayMove(fusedOp, direct, $0) }.map {
      var candidate = direct.taking(layer.dataType, giving: $0)
      candidate.cost = direct.cost / 3.5 + Double(values[fusedOp.output].count * $0.size) * 0.02
      return candidate
    }
  }

  /// A kernel candidate of a fused op in bfloat16: none, or several.
  ///
  /// In training, only what is multiplied is narrow: gradients want the values as they were.
  func narrowed(_ candidate: KernelCandidate, _ fusedOp: FusedOp) -> [KernelCandidate] {
    let isTraining = !seeds.isEmpty
    if fusedOp.kind.multipliesByWeights {
      // Only oneDNN's direct convolutions have bfloat16.
      guard candidate.algorithm == .direct, !isTooNarrow(fusedOp) else { return [] }
      var narrow = candidate.taking(.bfloat16, giving: .float32)
      narrow.cost /= 1.9
      guard !isTraining, mayMove(fusedOp, candidate, .bfloat16) else { return [narrow] }
      var both = narrow
      both.outputDataType = .bfloat16
      // Half as much is written.
      both.cost -= Double(values[fusedOp.output].count) * KernelCandidate.nanosecondsPerMove / 8
      return [both, narrow]
    }
    guard !isTraining, passesNarrow(fusedOp), mayMove(fusedOp, candidate, .bfloat16) else {
      return []
    }
    return [candidate.taking(.bfloat16, giving: .bfloat16)]
  }

  /// Whether an image is narrower than a dilated kernel reaches: oneDNN 2.6 then sums what lies
  /// beside it, in bfloat16 and in integers.
  private func isTooNarrow(_ fusedOp: FusedOp) -> Bool {
    let width = values[fusedOp.inputs[0]].shape[3]
    return switch fusedOp.kind {
    case .convolution(let c, _):
      c.dilation != 1 && (c.kernel.width - 1) * c.dilation.width >= width
    case .transposedConvolution(let c):
      c.dilation != 1 && (c.kernel.width - 1) * c.dilation.width >= width
    case .scaleShift, .pointwise, .tokens, .reorder, .gradient, .other: false
    }
  }

  /// Whether a fused op that applies no weights can take and give bfloat16: oneDNN's activations,
  /// pools and sums, and whatever only moves numbers.
  private func passesNarrow(_ fusedOp: FusedOp) -> Bool {
    guard case .other(let op) = fusedOp.kind else { return false }
    return op.kernelOperation?.takesBfloat16(fusedOp, self) ?? false
  }

  /// Whether narrow numbers may be moved by two or four at a time: channels lie side by side, and
  /// none is parted from those that it goes with.
  private func mayMove(_ fusedOp: FusedOp, _ candidate: KernelCandidate, _ dataType: DataType)
    -> Bool
  {
    let shapes = (fusedOp.inputs + [fusedOp.output]).map { values[$0].shape }
    guard candidate.output != .nchw, shapes.allSatisfy({ $0.count == 4 }) else { return false }
    var counts = shapes.map { $0[1] }
    if case .other(.slice(let slice)) = fusedOp.kind { counts.append(slice.start) }
    switch fusedOp.kind {
    case .convolution: return true
    case .transposedConvolution(let c):
      // What no input reaches is filled with float32.
      guard c.kernel.height >= c.stride.height, c.kernel.width >= c.stride.width, c.dilation == 1,
        min(c.padding.top, c.padding.left, c.padding.bottom, c.padding.right) >= 0
      else { return false }
      counts = [values[fusedOp.output].shape[1]]
    default: break
    }
    return counts.allSatisfy { ($0 * dataType.size).isMultiple(of: DataType.float32.size) }
  }
}

extension KernelCandidate {
  /// The same in another data type.
  fileprivate func taking(_ input: DataType, giving output: DataType) -> KernelCandidate {
    var candidate = self
    (candidate.inputDataType, candidate.outputDataType) = (input, output)
    return candidate
  }
}
