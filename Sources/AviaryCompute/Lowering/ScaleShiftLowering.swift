import AviaryThreads

extension Lowering {
  /// A scale and a shift per channel: batch normalisation, or constants, that no convolution before
  /// them could take in.
  mutating func scaleShift(_ fusedOp: FusedOp) throws(ComputeError) {
    let shape = value(fusedOp.output).shape
    let channels = shape.count >= 2 ? shape[1] : 1
    let stages = fusedOp.scaleShift
    let constants = constant(
      PackedConstant(
        key: PackedConstant.Key(
          parameters: fusedOp.parameters, scaleShift: stages, packing: .scaleShift),
        descriptor: try MemoryDescriptor([2, channels], .nchw), shape: [2, channels]
      ) { weights throws(ComputeError) in
        let scaleShift = try ScaleShift(stages, channels: channels, weights)
        return (scaleShift.scale + scaleShift.shift).map { Float($0) }
      })
    // As image, channel, pixel, whatever the number of dimensions.
    let images = shape.count >= 2 ? shape[0] : 1
    let pixels = shape.dropFirst(2).reduce(1, *) * (shape.count == 1 ? shape[0] : 1)
    let depth =
      switch fusedOp.candidate.input {
      case .nchw: 1
      case .nhwc: channels
      case .nChw16c: MemoryFormat.block
      }
    // Lines of `depth` channels that lie together; in nchw a line is one number. Factors and
    // summands follow one another in one constant.
    kernel(
      fusedOp, "scaleShift", [.value(fusedOp.inputs[0]), .value(fusedOp.output), constants]
    ) { memory, workers in
      let blocks = channels / depth
      workers.split(images * blocks * pixels, cost: depth) { range in
        for line in range {
          let first = line / pixels % blocks * depth
          let scale = unsafe memory[2] + first
          let shift = unsafe memory[2] + channels + first
          let source = unsafe memory[0] + line * depth
          let target = unsafe memory[1] + line * depth
          for i in 0..<depth { unsafe target[i] = source[i] * scale[i] + shift[i] }
        }
      }
    }
  }
}
