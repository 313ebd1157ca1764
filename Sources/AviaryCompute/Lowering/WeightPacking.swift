import AviaryGraph
import CKernels

/// The weights of a convolution or a transposed convolution, with what is folded into them, and the
/// packings in which instructions want them.
struct WeightPacking {
  /// The names of the weight and, where there is one, of the bias.
  var parameters: [String]
  /// Scales and shifts that follow the convolution.
  var scaleShift: [ScaleShiftStage]
  var outChannels: Int
  /// Input channels of all groups together.
  var channels: Int
  var groups: Int
  var kernel: Size
  /// Whether the weight is laid out IOHW.
  var isTransposed: Bool
  /// The quantization scales of its inputs, if it multiplies integers.
  var quantization: Quantization.Layer?
  /// The quantization scale of the result.
  var resultStep: Float = 1

  var hasBias: Bool { parameters.count > 1 || !scaleShift.isEmpty }

  /// The kernel's rows and columns in their order.
  var allRows: [Int] { Array(0..<kernel.height) }
  var allColumns: [Int] { Array(0..<kernel.width) }

  /// Some rows and columns of the kernel, in the order given, as a kernel of its own.
  func kernel(
    rows: [Int], columns: [Int], _ descriptor: MemoryDescriptor
  ) -> PackedConstant {
    var shape = [outChannels / groups, channels / groups, rows.count, columns.count]
    if groups > 1 { shape.insert(groups, at: 0) }
    // As it stands in the file, which is the case that matters for large models.
    let isPlain =
      scaleShift.isEmpty && quantization == nil && !isTransposed && rows == allRows
      && columns == allColumns
    return PackedConstant(
      key: key(.kernel(rows: rows, columns: columns)), descriptor: descriptor, shape: shape,
      parameter: isPlain ? parameters[0] : nil
    ) { weights throws(ComputeError) in
      // In the order of rows and columns asked for: reversed where a transposed convolution becomes
      // a convolution, every stride-th for one of its polyphase components.
      let source = try weights.values(parameters[0])
      if isPlain { return source }
      let scale = try ScaleShift(scaleShift, channels: outChannels, weights).scale
      var result: [Float] = []
      result.reserveCapacity(shape.reduce(1, *))
      for filter in 0..<outChannels {
        for channel in 0..<channels / groups {
          for row in rows {
            for column in columns {
              let weight = Double(source[place(filter, channel, row, column)])
              result.append(rounded(weight * scale[filter], filter))
            }
          }
        }
      }
      return result
    }
  }

  /// The kernel in the order in which a convolution vectorised over pixels takes it: by blocks of
  /// output channels, of which there is one for each pixel of a square.
  ///
  /// - Parameters:
  ///   - rows: for each row of a square, which of the kernel's rows it meets, -1 for none.
  ///   - columns: the same for the columns.
  func packed(rows: [[Int]], columns: [[Int]]) throws(ComputeError) -> PackedConstant {
    let phases = rows.count * columns.count
    let shape = [outChannels * phases, channels, rows[0].count, columns[0].count]
    return PackedConstant(
      key: key(.packed(rows: rows, columns: columns)),
      descriptor: try MemoryDescriptor(shape, .nchw), shape: shape
    ) { weights throws(ComputeError) in
      let source = try weights.values(parameters[0])
      let scale = try ScaleShift(scaleShift, channels: outChannels, weights).scale
      var result: [Float] = []
      result.reserveCapacity(shape.reduce(1, *))
      let blocks = aviary_plane_blocks(shape[0])
      for block in 0..<blocks {
        for channel in 0..<channels {
          for row in 0..<shape[2] {
            for column in 0..<shape[3] {
              for number in shape[0] * block / blocks..<shape[0] * (block + 1) / blocks {
                let (filter, phase) = number.quotientAndRemainder(dividingBy: phases)
                let y = rows[phase / columns.count][row]
                let x = columns[phase % columns.count][column]
                let weight = y < 0 || x < 0 ? 0 : Double(source[place(filter, channel, y, x)])
                result.append(Float(weight * scale[filter]))
              }
            }
          }
        }
      }
      return result
    }
  }

  /// One number a filter, or the same so many times.
  func bias(_ descriptor: MemoryDescriptor, repeated times: Int = 1) -> PackedConstant {
    PackedConstant(
      key: key(.bias(step: biasStep ?? 1)), descriptor: descriptor, shape: [outChannels * times],
      parameter: scaleShift.isEmpty && quantization == nil && parameters.count > 1 && times == 1
        ? parameters[1] : nil
    ) { weights throws(ComputeError) in
      let scaleShift = try ScaleShift(scaleShift, channels: outChannels, weights)
      let bias = parameters.count > 1 ? try weights.values(parameters[1]) : nil
      return scaleShift.shift.indices.flatMap { filter in
        var value = Double(bias?[filter] ?? 0) * scaleShift.scale[filter] + scaleShift.shift[filter]
        if let biasStep {
          value /= Double(biasStep)
        } else if let quantization {
          value /= Double(quantization.inputScale) * Double(quantization.weightScales[filter])
        }
        return [Float](repeating: Float(value), count: times)
      }
    }
  }

  /// The scale of a bias that is added to integers after they are scaled; nil where it is added to
  /// the sums of products, which have a scale for each output channel, or to another data type.
  private var biasStep: Float? {
    quantization != nil && !Scales.followBias ? resultStep : nil
  }

  /// A weight as it is multiplied: whole, if integers are.
  private func rounded(_ weight: Double, _ filter: Int) -> Float {
    guard let quantization else { return Float(weight) }
    let steps = (weight / Double(quantization.weightScales[filter])).rounded(.toNearestOrEven)
    let most = Quantization.Layer.mostWeight
    return min(max(Float(steps), -most), most)
  }

  func key(_ packing: PackedConstant.Packing) -> PackedConstant.Key {
    PackedConstant.Key(
      parameters: parameters, scaleShift: scaleShift, packing: packing, groups: groups,
      isTransposed: isTransposed, quantization: quantization)
  }

  /// Where a weight stands: `channel` counts from its group's first.
  private func place(_ filter: Int, _ channel: Int, _ row: Int, _ column: Int) -> Int {
    let (filtersPerGroup, channelsPerGroup) = (outChannels / groups, channels / groups)
    let pair =
      isTransposed
      ? (filter / filtersPerGroup * channelsPerGroup + channel) * filtersPerGroup
        + filter % filtersPerGroup
      : filter * channelsPerGroup + channel
    return (pair * kernel.height + row) * kernel.width + column
  }
}

extension WeightPacking {
  init(_ fusedOp: FusedOp, _ c: Convolution, channels: Int, flipped: Bool) {
    self.init(
      parameters: fusedOp.parameters, scaleShift: fusedOp.scaleShift, outChannels: c.outChannels,
      channels: channels,
      groups: c.groups, kernel: c.kernel, isTransposed: flipped,
      quantization: fusedOp.quantization, resultStep: fusedOp.candidate.outputDataType.scale)
  }

  init(_ fusedOp: FusedOp, _ c: TransposedConvolution, channels: Int) {
    self.init(
      parameters: fusedOp.parameters, scaleShift: fusedOp.scaleShift, outChannels: c.outChannels,
      channels: channels,
      groups: c.groups, kernel: c.kernel, isTransposed: true,
      quantization: fusedOp.quantization, resultStep: fusedOp.candidate.outputDataType.scale)
  }
}

extension WeightPacking {
  /// A kernel as a transform multiplies with it.
  ///
  /// - Parameters:
  ///   - rows: the kernel's rows in the order in which they meet the image's; of a transposed
  ///     convolution of stride 2, in its own order.
  ///   - descriptor: of a matrix for each product, channels by filters, with room for groups of 16.
  func transformed(
    rows: [Int], columns: [Int], shape: TransformShape, _ descriptor: MemoryDescriptor
  ) -> PackedConstant {
    let plain = kernel(rows: rows, columns: columns, descriptor)
    return PackedConstant(
      key: key(.transformed(shape.format, rows: rows, columns: columns)), descriptor: descriptor,
      shape: [shape.format.products, shape.depth, shape.width]
    ) { weights throws(ComputeError) in
      let kernel = try plain.make(weights)
      var result = [Float](
        repeating: 0, count: shape.format.products * shape.depth * shape.width)
      unsafe kernel.withUnsafeBufferPointer { kernel in
        unsafe result.withUnsafeMutableBufferPointer { result in
          if let winograd = shape.format.winograd {
            unsafe aviary_winograd_weights(
              winograd, kernel.baseAddress, outChannels, channels, result.baseAddress, shape.depth,
              shape.width)
          } else {
            unsafe aviary_fft_weights(
              kernel.baseAddress, outChannels, channels, rows.count, columns.count,
              result.baseAddress, shape.depth, shape.width)
          }
        }
      }
      return result
    }
  }
}
