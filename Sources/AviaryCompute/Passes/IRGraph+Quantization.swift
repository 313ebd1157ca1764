import AviaryGraph

extension IRGraph {
  /// Notes which convolutions multiply integers, and which values are wanted so.
  ///
  /// - Throws: `ComputeError.quantization` for scales that do not fit the convolution of the name.
  mutating func quantize(_ quantization: Quantization) throws(ComputeError) {
    for output in outputs { values[output.value].want(nil) }
    // From the last: who takes a fused op's result has said how before the fused op is asked.
    for position in fusedOps.indices.reversed() {
      let fusedOp = fusedOps[position]
      var dataType: DataType?
      if let outChannels = fusedOp.kind.outChannels, let layer = quantization.layers[fusedOp.name] {
        guard layer.weightScales.count == outChannels else {
          throw .quantization(
            node: fusedOp.name, outChannels: outChannels, found: layer.weightScales.count)
        }
        let layer = layer.fitting(sumsInWords: !Engine.sumsProductsWhole)
        fusedOps[position].quantization = layer
        dataType = layer.dataType
      } else if passesWhole(fusedOp) {
        dataType = values[fusedOp.output].integerType
      }
      for input in fusedOp.inputs { values[input].want(dataType) }
      if let residual = fusedOp.epilogue.residual { values[residual].want(nil) }
    }
  }

  /// Whether a fused op's result may be of integers if its inputs are.
  func passesWhole(_ fusedOp: FusedOp) -> Bool {
    guard case .other(let op) = fusedOp.kind else { return false }
    return op.kernelOperation?.takesIntegers ?? false
  }
}

extension OpKind {
  /// The output channels of a convolution, transposed or not, that can multiply integers; nil for
  /// anything else. Dilated ones cannot: oneDNN 2.6 sums what lies beside an image narrower than
  /// the kernel's reach.
  var outChannels: Int? {
    switch self {
    case .convolution(let c, _): c.dilation == 1 ? c.outChannels : nil
    case .transposedConvolution(let c): c.outChannels
    case .scaleShift, .pointwise, .tokens, .reorder, .gradient, .other: nil
    }
  }
}

extension IRGraph.Value {
  /// Notes that a taker wants the value in integers, or, for nil, as it is. Where two want it
  /// differently it stays as it is: a sum must not lose what one convolution can do without.
  fileprivate mutating func want(_ dataType: DataType?) {
    if dataType == nil || integerType != nil && integerType != dataType { isWantedWide = true }
    integerType = isWantedWide ? nil : dataType
  }
}
